// SHOW LISTS, with max_client_conn of SHOW CONFIG: how full PgBouncer itself is.
#include <string>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/pooler_config.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

constexpr auto kClients = metrics::gauge(
    "pgconn_pgbouncer_clients",
    "Clients of PgBouncer as it counts them against max_client_conn: all that are connected, those "
    "of the console and those that are logging in included.");
constexpr auto kClientsMax =
    metrics::gauge("pgconn_pgbouncer_clients_max",
                   "max_client_conn: the clients that PgBouncer accepts at the same time.");
constexpr auto kLoggingIn = metrics::gauge("pgconn_pgbouncer_clients_logging_in",
                                           "Clients of PgBouncer that are logging in.");
constexpr auto kServers =
    metrics::gauge("pgconn_pgbouncer_servers", "Connections of PgBouncer to servers.");
constexpr auto kPools = metrics::gauge("pgconn_pgbouncer_pools", "Pools of PgBouncer.");

constexpr const metrics::Descriptor* kDescriptors[] = {&kClients, &kClientsMax, &kLoggingIn,
                                                       &kServers, &kPools};

constexpr CollectorInfo kInfo{.name = "pool_clients",
                              .help = "How full PgBouncer is: clients against max_client_conn.",
                              .descriptors = kDescriptors};

struct Item {
  std::string_view name;
  const metrics::Descriptor* descriptor;
};

constexpr Item kItems[] = {
    {"used_clients", &kClients},
    {"login_clients", &kLoggingIn},
    {"used_servers", &kServers},
    {"pools", &kPools},
};

constexpr std::string_view kKnown[] = {"list", "items"};

class ListsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&pooler_lists_reading(), &pooler_config_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext&) const override {
    CollectorOutput output;
    const postgres::Rows& answer = readings.rows(pooler_lists_reading());
    output.strange = unknown_columns("SHOW LISTS", answer, kKnown);
    const ConsoleRows rows(answer, "list");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (const Item& item : kItems) {
        if (rows.text(row, "list") != item.name) continue;
        if (const auto count = rows.number(row, "items"))
          output.batch.add(*item.descriptor, *count);
      }
    }
    const PoolerConfig& config = readings.parsed(pooler_config_reading(), read_pooler_config);
    if (const auto most = config.number("max_client_conn")) output.batch.add(kClientsMax, *most);
    return output;
  }
};

}  // namespace

const Collector& pooler_clients_collector() {
  static const ListsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
