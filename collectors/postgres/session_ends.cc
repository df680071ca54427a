#include <string>
#include <string_view>

#include "collectors/postgres/builtin.h"
#include "collectors/postgres/readings.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kEstablished =
    metrics::counter("pgconn_sessions_established_total",
                     "Sessions established, ours included (PostgreSQL 14 on).", {"database"});
constexpr auto kEnded = metrics::counter(
    "pgconn_sessions_ended_total",
    "Sessions that did not end by the client's own wish: abandoned by the client, ended by a fatal "
    "error, killed by an operator (PostgreSQL 14 on).",
    {"database", "reason"});
constexpr auto kSeconds = metrics::counter(
    "pgconn_session_seconds_total",
    "Time sessions spent: `session` in all, of that `active` and `idle_in_transaction`; counted "
    "when a state changes (PostgreSQL 14 on).",
    {"database", "kind"}, Unit::kSeconds);
constexpr auto kTransactions =
    metrics::counter("pgconn_transactions_total",
                     "Transactions that ended in `commit` or `rollback`.", {"database", "outcome"});
constexpr auto kDeadlocks =
    metrics::counter("pgconn_deadlocks_total", "Deadlocks detected.", {"database"});
constexpr auto kStatsReset =
    metrics::gauge("pgconn_stats_reset_time_seconds",
                   "Unix time at which the counters of a database were last reset.", {"database"},
                   Unit::kSeconds, Fold::kMax);

constexpr const metrics::Descriptor* kDescriptors[] = {&kEstablished,  &kEnded,     &kSeconds,
                                                       &kTransactions, &kDeadlocks, &kStatsReset};

constexpr CollectorInfo kInfo{.name = "session_ends",
                              .help = "How sessions and transactions ended, by database.",
                              .descriptors = kDescriptors};

// How a column of the reading becomes a sample.
struct Counter {
  std::string_view column;
  const metrics::Descriptor* descriptor;
  std::string_view label;  // besides the database; empty for none
  double unit = 1;         // of the column, in the metric's unit
  int min_version = 130000;
};

constexpr double kMilliseconds = 1e-3;

constexpr Counter kCounters[] = {
    {"xact_commit", &kTransactions, "commit"},
    {"xact_rollback", &kTransactions, "rollback"},
    {"deadlocks", &kDeadlocks, ""},
    {"stats_reset", &kStatsReset, ""},
    {"sessions", &kEstablished, "", 1, 140000},
    {"sessions_abandoned", &kEnded, "abandoned", 1, 140000},
    {"sessions_fatal", &kEnded, "fatal", 1, 140000},
    {"sessions_killed", &kEnded, "killed", 1, 140000},
    {"session_time", &kSeconds, "session", kMilliseconds, 140000},
    {"active_time", &kSeconds, "active", kMilliseconds, 140000},
    {"idle_in_transaction_time", &kSeconds, "idle_in_transaction", kMilliseconds, 140000},
};

class SessionEndsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&database_stats_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    metrics::MetricBatch& batch = output.batch;
    const postgres::Rows& rows = readings.rows(database_stats_reading());
    const std::size_t database = rows.column("database");
    for (const Counter& counter : kCounters) {
      if (context.server_version < counter.min_version) continue;
      const std::size_t column = rows.column(counter.column);
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto value = postgres::number(rows.at(row, column));
        if (!value) continue;
        std::vector<std::string> labels{std::string(postgres::text_or(rows.at(row, database), ""))};
        if (!counter.label.empty()) labels.emplace_back(counter.label);
        batch.add(*counter.descriptor, *value * counter.unit, std::move(labels));
      }
    }
    return output;
  }
};

}  // namespace

const Collector& session_ends_collector() {
  static const SessionEndsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
