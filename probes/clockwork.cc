#include "probes/clockwork.h"

namespace pgconn::probes {

asio::awaitable<void> run_once(ProbeContext& context, ProbeKind probe, Attempt attempt,
                               Clock::time_point deadline) {
  context.recorder.attempt(probe);
  try {
    const std::vector<PhaseTime> phases = co_await attempt(deadline);
    context.recorder.succeeded(probe, phases);
  } catch (const postgres::PgError& error) {
    if (error.reason() == postgres::Reason::kStopped) throw;
    context.recorder.failed(probe, error);
  }
}

asio::awaitable<void> run_on_grid(ProbeContext& context, ProbeKind probe, Pace pace,
                                  Attempt attempt, Wait wait) {
  async::TimeSource& time = context.time;
  const Clock::time_point start = time.now() + splay(context.target, probe, pace.interval);
  Clock::time_point due = start;
  context.recorder.expect(probe);
  for (;;) {
    if (wait) {
      co_await wait(due);
    } else {
      co_await time.sleep_until(due);
    }
    co_await run_once(context, probe, attempt, time.now() + pace.timeout);
    due = next_run(start, pace.interval, time.now());
  }
}

std::chrono::milliseconds splay(const std::string& target, ProbeKind probe,
                                std::chrono::milliseconds interval) {
  if (interval.count() <= 0) return std::chrono::milliseconds(0);
  const std::string key = target + "/" + std::string(to_string(probe));
  const auto spread = std::hash<std::string>()(key) % static_cast<std::size_t>(interval.count());
  return std::chrono::milliseconds(spread);
}

Clock::time_point next_run(Clock::time_point start, std::chrono::milliseconds interval,
                           Clock::time_point now) {
  if (now < start) return start;
  return start + ((now - start) / interval + 1) * interval;
}

}  // namespace pgconn::probes
