#include "probes/connect.h"

#include "postgres/answer.h"

namespace pgconn::probes {
namespace {

constexpr ProbeKind kProbe = ProbeKind::kConnect;

// Connects, asks once and leaves; throws PgError with the phase it failed in.
asio::awaitable<std::vector<PhaseTime>> attempt(ProbeContext& context, Clock::time_point deadline) {
  const Clock::time_point begin = Clock::now();
  postgres::ConnectOptions options;
  options.purpose = "connect";
  const postgres::Dialer::Session session = co_await context.dialer.dial(options, deadline);
  std::vector<PhaseTime> phases = phases_of(session.connection->timings());
  const Clock::time_point connected = Clock::now();
  const std::vector<postgres::Query> question = {{postgres::kAreYouThere, ""}};
  std::vector<postgres::Answer> answers;
  co_await session.connection->pipeline(question, deadline, answers);
  postgres::expect_here(answers);
  phases.push_back({"query", Clock::now() - connected});
  phases.push_back({"total", Clock::now() - begin});
  co_return phases;
}

}  // namespace

asio::awaitable<void> run_connect_probe(ProbeContext& context, Pace pace) {
  const Clock::time_point start = Clock::now() + splay(context.target, kProbe, pace.interval);
  Clock::time_point due = start;
  context.recorder.expect(kProbe);
  for (;;) {
    co_await sleep_until(context.dialer.executor(), due);
    context.recorder.attempt(kProbe);
    try {
      const auto phases = co_await attempt(context, Clock::now() + pace.timeout);
      context.recorder.succeeded(kProbe, phases);
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
      context.recorder.failed(kProbe, error);
    }
    due = next_run(start, pace.interval, Clock::now());
  }
}

}  // namespace pgconn::probes
