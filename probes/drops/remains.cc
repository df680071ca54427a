#include "probes/drops/remains.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace pgconn::probes {
namespace {

// Process numbers are reused, but then the session is younger than the lost one.
constexpr std::chrono::seconds kMargin(2);
constexpr std::size_t kMost = 1000;

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

void Remains::add(const Drop& drop) {
  if (drops_.size() < kMost && leaves_remains(drop)) drops_.push_back(drop);
}

asio::awaitable<void> Remains::clear(postgres::Deadline deadline) {
  if (drops_.empty()) co_return;
  std::vector<Drop> drops = std::exchange(drops_, {});
  const bool cleared = co_await end(drops, deadline);
  if (!cleared) std::move(drops.begin(), drops.end(), std::back_inserter(drops_));
}

// Returns whether the server was reached.
asio::awaitable<bool> Remains::end(const std::vector<Drop>& drops, postgres::Deadline deadline) {
  std::vector<postgres::Query> queries;
  for (const Drop& drop : drops) queries.push_back({end_of_remains(drop, time_.now()), ""});
  try {
    postgres::ConnectOptions options;
    options.purpose = "diagnose";
    const postgres::Session session = co_await connector_.dial(options, deadline);
    std::vector<postgres::Answer> answers;
    co_await session.connection->pipeline(queries, deadline, answers);
  } catch (const postgres::PgError& error) {
    if (error.reason() == postgres::Reason::kStopped) throw;
    co_return false;
  }
  co_return true;
}

}  // namespace pgconn::probes
