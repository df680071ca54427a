// SHOW DATABASES: the limits of each database, and whether it is paused.
#include <string>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;

constexpr auto kServers =
    metrics::gauge("pgconn_pgbouncer_database_servers",
                   "Connections of PgBouncer to the server for the database.", {"database"});
constexpr auto kServersMax =
    metrics::gauge("pgconn_pgbouncer_database_servers_max",
                   "max_db_connections of the database, where it has one.", {"database"});
constexpr auto kClients =
    metrics::gauge("pgconn_pgbouncer_database_clients",
                   "Clients of the database (PgBouncer 1.24 and later).", {"database"});
constexpr auto kClientsMax = metrics::gauge(
    "pgconn_pgbouncer_database_clients_max",
    "max_db_client_connections of the database, where it has one (PgBouncer 1.24 and later).",
    {"database"});
constexpr auto kPoolSize =
    metrics::gauge("pgconn_pgbouncer_database_pool_size",
                   "The most servers that each pool of the database has.", {"database"});
constexpr auto kReserve =
    metrics::gauge("pgconn_pgbouncer_database_reserve_pool_size",
                   "The servers that each of its pools may have besides.", {"database"});
constexpr auto kPaused =
    metrics::gauge("pgconn_pgbouncer_database_paused",
                   "1 if the database is paused: its clients wait until somebody resumes it.",
                   {"database"}, metrics::Unit::kNone, Fold::kMax);
constexpr auto kDisabled = metrics::gauge("pgconn_pgbouncer_database_disabled",
                                          "1 if the database is disabled: it takes no new clients.",
                                          {"database"}, metrics::Unit::kNone, Fold::kMax);

constexpr const metrics::Descriptor* kDescriptors[] = {
    &kServers, &kServersMax, &kClients, &kClientsMax, &kPoolSize, &kReserve, &kPaused, &kDisabled};

constexpr CollectorInfo kInfo{.name = "pool_databases",
                              .help = "PgBouncer's databases: limits, paused, disabled.",
                              .descriptors = kDescriptors};

struct Item {
  std::string_view column;
  const metrics::Descriptor* descriptor;
  bool is_limit = false;  // 0: there is none
};

constexpr Item kItems[] = {
    {"current_connections", &kServers},
    {"max_connections", &kServersMax, true},
    {"current_client_connections", &kClients},
    {"max_client_connections", &kClientsMax, true},
    {"pool_size", &kPoolSize, true},
    {"reserve_pool", &kReserve},       // until 1.23
    {"reserve_pool_size", &kReserve},  // from 1.24 on
    {"paused", &kPaused},
    {"disabled", &kDisabled},
};

constexpr std::string_view kKnown[] = {"name",
                                       "host",
                                       "port",
                                       "database",
                                       "force_user",
                                       "pool_size",
                                       "min_pool_size",
                                       "reserve_pool",
                                       "reserve_pool_size",
                                       "server_lifetime",
                                       "pool_mode",
                                       "load_balance_hosts",
                                       "max_connections",
                                       "current_connections",
                                       "max_client_connections",
                                       "current_client_connections",
                                       "paused",
                                       "disabled"};

class DatabasesCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&pooler_databases_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext&) const override {
    CollectorOutput output;
    const postgres::Rows& answer = readings.rows(pooler_databases_reading());
    output.strange = unknown_columns("SHOW DATABASES", answer, kKnown);
    const ConsoleRows rows(answer, "name");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::string database = rows.text(row, "name");
      if (database == kConsole) continue;
      for (const Item& item : kItems) {
        const auto value = rows.number(row, item.column);
        if (!value || (item.is_limit && *value <= 0)) continue;
        output.batch.add(*item.descriptor, *value, {database});
      }
    }
    return output;
  }
};

}  // namespace

const Collector& pooler_databases_collector() {
  static const DatabasesCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
