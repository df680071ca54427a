#include "probes/drops/remains.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pgconn::probes {
namespace {

using Clock = std::chrono::steady_clock;

// A process number is used again one day: by then the session is younger than the lost one was.
constexpr std::chrono::seconds kMargin(2);

}  // namespace

bool leaves_remains(const Drop& drop) {
  return drop.error.sqlstate().empty() && drop.backend_pid != 0;
}

std::string end_of_remains(const Drop& drop, Clock::time_point now) {
  if (!leaves_remains(drop)) return "";
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - drop.opened - kMargin);
  return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = " +
         std::to_string(drop.backend_pid) +
         " AND usename = current_user AND application_name = 'pgconn_exporter/" +
         std::string(to_string(drop.probe)) +
         "' AND backend_start < clock_timestamp() - interval '" +
         std::to_string(std::max<std::int64_t>(age.count(), 0)) + " s'";
}

asio::awaitable<bool> end_remains(postgres::Dialer& dialer, std::span<const Drop> drops,
                                  postgres::Deadline deadline) {
  std::vector<postgres::Query> queries;
  for (const Drop& drop : drops) {
    std::string sql = end_of_remains(drop, Clock::now());
    if (!sql.empty()) queries.push_back({std::move(sql), ""});
  }
  if (queries.empty()) co_return true;
  try {
    postgres::ConnectOptions options;
    options.purpose = "diagnose";
    const postgres::Dialer::Session session = co_await dialer.dial(options, deadline);
    std::vector<postgres::Answer> answers;
    co_await session.connection->pipeline(queries, deadline, answers);
  } catch (const postgres::PgError& error) {
    if (error.reason() == postgres::Reason::kStopped) throw;
    co_return false;
  }
  co_return true;
}

}  // namespace pgconn::probes
