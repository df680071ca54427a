#include "probes/roundtrip.h"

#include <algorithm>

#include "probes/held_session.h"

namespace pgconn::probes {
namespace {

constexpr ProbeKind kProbe = ProbeKind::kRoundtrip;

// Asks, on a new session if the last one was lost.
asio::awaitable<Clock::duration> attempt(HeldSession& session, Clock::time_point deadline) {
  co_await session.open(deadline);
  const Clock::duration took = co_await session.ask(deadline);
  co_return took;
}

}  // namespace

asio::awaitable<void> run_roundtrip_probe(ProbeContext& context, Pace pace) {
  const Clock::time_point start = Clock::now() + splay(context.target, kProbe, pace.interval);
  Clock::time_point due = start;
  postgres::ConnectOptions options;
  options.purpose = "roundtrip";
  HeldSession session(context, kProbe, options, pace.interval);
  context.recorder.expect(kProbe);
  for (;;) {
    if (session.is_open()) {
      const SilenceEnd end = co_await session.stay_silent(due);
      if (end == SilenceEnd::kLost) due = session.next_try();
    }
    if (!session.is_open()) {
      co_await sleep_until(context.dialer.executor(), std::max(due, session.next_try()));
    }
    context.recorder.attempt(kProbe);
    try {
      const Clock::duration took = co_await attempt(session, Clock::now() + pace.timeout);
      context.recorder.succeeded(kProbe, {{"query", took}});
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
      context.recorder.failed(kProbe, error);
    }
    due = next_run(start, pace.interval, Clock::now());
  }
}

}  // namespace pgconn::probes
