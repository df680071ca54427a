#include "probes/roundtrip.h"

#include <algorithm>

#include "probes/held_session.h"

namespace pgconn::probes {
namespace {

constexpr ProbeKind kProbe = ProbeKind::kRoundtrip;

// Asks, on a new session if the last one was lost. The answer has its full time however long
// opening took; a late one is a loss.
asio::awaitable<std::vector<PhaseTime>> attempt(ProbeContext& context, HeldSession& session,
                                                Clock::time_point deadline) {
  const Clock::duration patience = deadline - context.time.now();
  co_await session.open(deadline);
  const Clock::duration took = co_await session.ask(context.time.now() + patience);
  std::vector<PhaseTime> phases;
  phases.push_back({"query", took});
  co_return phases;
}

// Watches the session meanwhile. If lost, it is opened again as soon as the backoff allows.
asio::awaitable<void> wait(ProbeContext& context, HeldSession& session, Clock::time_point due) {
  Clock::time_point soonest = due;
  if (session.is_open()) {
    const SilenceEnd end = co_await session.stay_silent(due);
    if (end == SilenceEnd::kLost) soonest = session.next_try();
  }
  if (!session.is_open()) co_await context.time.sleep_until(std::max(soonest, session.next_try()));
}

}  // namespace

asio::awaitable<void> run_roundtrip_probe(ProbeContext& context, Pace pace) {
  postgres::ConnectOptions options;
  options.purpose = to_string(kProbe);
  HeldSession session(context, kProbe, options, pace.interval);
  const auto once = [&](Clock::time_point deadline) { return attempt(context, session, deadline); };
  const auto until = [&](Clock::time_point due) { return wait(context, session, due); };
  co_await run_on_grid(context, kProbe, pace, once, until);
}

}  // namespace pgconn::probes
