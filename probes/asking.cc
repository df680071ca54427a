#include "probes/asking.h"

#include <algorithm>
#include <utility>

namespace pgconn::probes {
namespace {

// Asks, on a new session if the last one was lost. The answer has its full time however long
// opening took; a late one is a loss.
asio::awaitable<std::vector<PhaseTime>> attempt(ProbeContext& context, HeldSession& session,
                                                const Ask& ask, Clock::time_point deadline) {
  const Clock::duration patience = deadline - context.time.now();
  co_await session.open(deadline);
  const Clock::duration took = co_await ask(session, context.time.now() + patience);
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

asio::awaitable<void> run_asking_probe(ProbeContext& context, ProbeKind probe, Pace pace,
                                       std::chrono::milliseconds longest_wait, Ask ask) {
  postgres::ConnectOptions options;
  options.purpose = to_string(probe);
  HeldSession session(context, probe, options, longest_wait);
  const auto once = [&](Clock::time_point deadline) {
    return attempt(context, session, ask, deadline);
  };
  const auto until = [&](Clock::time_point due) { return wait(context, session, due); };
  co_await run_on_grid(context, probe, pace, once, until);
}

}  // namespace pgconn::probes
