// SHOW STATS: counters since the process began, by database.
#include <string>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

using metrics::Unit;

constexpr auto kQueries = metrics::counter("pgconn_pgbouncer_queries_total",
                                           "SQL commands that PgBouncer passed on.", {"database"});
constexpr auto kTransactions = metrics::counter(
    "pgconn_pgbouncer_transactions_total", "Transactions that PgBouncer passed on.", {"database"});
constexpr auto kClientWait =
    metrics::counter("pgconn_pgbouncer_client_wait_seconds_total",
                     "Time that clients waited for a server; counted when a client gets one.",
                     {"database"}, Unit::kSeconds);
constexpr auto kTransactionTime =
    metrics::counter("pgconn_pgbouncer_transaction_seconds_total",
                     "Time that servers spent in transactions, idle in them included.",
                     {"database"}, Unit::kSeconds);
constexpr auto kQueryTime =
    metrics::counter("pgconn_pgbouncer_query_seconds_total",
                     "Time that servers spent with queries.", {"database"}, Unit::kSeconds);
constexpr auto kReceived =
    metrics::counter("pgconn_pgbouncer_received_bytes_total",
                     "Bytes received from clients and servers.", {"database"}, Unit::kBytes);
constexpr auto kSent =
    metrics::counter("pgconn_pgbouncer_sent_bytes_total", "Bytes sent to clients and servers.",
                     {"database"}, Unit::kBytes);
constexpr auto kAssignments = metrics::counter(
    "pgconn_pgbouncer_server_assignments_total",
    "Times that a client was given a server (PgBouncer 1.23 and later).", {"database"});
constexpr auto kLogins =
    metrics::counter("pgconn_pgbouncer_client_logins_total",
                     "Clients that logged in (PgBouncer 1.26 and later).", {"database"});

constexpr const metrics::Descriptor* kDescriptors[] = {
    &kQueries,  &kTransactions, &kClientWait,  &kTransactionTime, &kQueryTime,
    &kReceived, &kSent,         &kAssignments, &kLogins};

constexpr CollectorInfo kInfo{.name = "pool_stats",
                              .help = "What PgBouncer has done since it began, by database.",
                              .descriptors = kDescriptors};

struct Counter {
  std::string_view column;
  const metrics::Descriptor* descriptor;
  double unit = 1;  // of the column, in the metric's unit
};

constexpr double kMicroseconds = 1e-6;

constexpr Counter kCounters[] = {
    {"total_query_count", &kQueries},
    {"total_xact_count", &kTransactions},
    {"total_wait_time", &kClientWait, kMicroseconds},
    {"total_xact_time", &kTransactionTime, kMicroseconds},
    {"total_query_time", &kQueryTime, kMicroseconds},
    {"total_received", &kReceived},
    {"total_sent", &kSent},
    {"total_server_assignment_count", &kAssignments},
    {"total_client_login_count", &kLogins},
};

// Averages are for Prometheus to make.
constexpr std::string_view kKnown[] = {"database",
                                       "total_xact_count",
                                       "total_query_count",
                                       "total_server_assignment_count",
                                       "total_received",
                                       "total_sent",
                                       "total_xact_time",
                                       "total_query_time",
                                       "total_wait_time",
                                       "total_client_parse_count",
                                       "total_server_parse_count",
                                       "total_bind_count",
                                       "total_client_login_count",
                                       "avg_server_assignment_count",
                                       "avg_xact_count",
                                       "avg_query_count",
                                       "avg_recv",
                                       "avg_sent",
                                       "avg_xact_time",
                                       "avg_query_time",
                                       "avg_wait_time",
                                       "avg_client_parse_count",
                                       "avg_server_parse_count",
                                       "avg_bind_count",
                                       "avg_client_login_count"};

class StatsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&pooler_stats_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext&) const override {
    CollectorOutput output;
    const postgres::Rows& answer = readings.rows(pooler_stats_reading());
    output.strange = unknown_columns("SHOW STATS", answer, kKnown);
    const ConsoleRows rows(answer, "database");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::string database = rows.text(row, "database");
      if (database == kConsole) continue;
      for (const Counter& counter : kCounters) {
        if (const auto value = rows.number(row, counter.column)) {
          output.batch.add(*counter.descriptor, *value * counter.unit, {database});
        }
      }
    }
    return output;
  }
};

}  // namespace

const Collector& pooler_stats_collector() {
  static const StatsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
