#include "probes/connect.h"

#include "postgres/answer.h"

namespace pgconn::probes {

asio::awaitable<std::vector<PhaseTime>> attempt_connect(ProbeContext& context,
                                                        Clock::time_point deadline) {
  const Clock::time_point begin = context.time.now();
  postgres::ConnectOptions options;
  options.purpose = to_string(ProbeKind::kConnect);
  const postgres::Session session = co_await context.connector.dial(options, deadline);
  std::vector<PhaseTime> phases = phases_of(session.connection->timings());
  const Clock::time_point connected = context.time.now();
  const postgres::Peer& peer = context.connector.peer();
  const std::vector<postgres::Query> question(1, postgres::ping(peer));
  std::vector<postgres::Answer> answers;
  co_await session.connection->ask(question, deadline, answers);
  postgres::expect_here(peer, answers);
  phases.push_back({"query", context.time.now() - connected});
  phases.push_back({"total", context.time.now() - begin});
  co_return phases;
}

}  // namespace pgconn::probes
