#include "probes/waits.h"

#include <utility>
#include <vector>

#include "postgres/answer.h"
#include "probes/asking.h"

namespace pgconn::probes {
namespace {

// A pooler that is down need not be tried four times a second.
constexpr std::chrono::seconds kLongestWait(5);

asio::awaitable<Clock::duration> sample(const ProbeContext& context, const WaitsSettings& settings,
                                        HeldSession& session, Clock::time_point deadline) {
  std::vector<postgres::Answer> answers;
  postgres::Query query{settings.sql, ""};
  const Clock::duration took = co_await session.ask(std::move(query), deadline, answers);
  postgres::read_answer(
      answers, [&](const postgres::Rows& rows) { settings.observe(rows); },
      context.connector.peer().product);
  co_return took;
}

}  // namespace

asio::awaitable<void> run_waits_probe(ProbeContext& context, WaitsSettings settings) {
  const auto ask = [&](HeldSession& session, Clock::time_point deadline) {
    return sample(context, settings, session, deadline);
  };
  co_await run_asking_probe(context, ProbeKind::kWaits, settings.pace, kLongestWait, ask);
}

}  // namespace pgconn::probes
