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
  const std::vector<postgres::Query> question = {{postgres::kAreYouThere, ""}};
  std::vector<postgres::Answer> answers;
  co_await session.connection->pipeline(question, deadline, answers);
  postgres::expect_here(answers);
  phases.push_back({"query", context.time.now() - connected});
  phases.push_back({"total", context.time.now() - begin});
  co_return phases;
}

}  // namespace pgconn::probes
