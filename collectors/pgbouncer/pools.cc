#include "collectors/pgbouncer/pools.h"

#include <string>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kClients =
    metrics::gauge("pgconn_pgbouncer_pool_clients",
                   "Clients of the pool, by state: active (with a server, or idle without a query "
                   "that waits), waiting for a server, or with a cancel request.",
                   {"database", "user", "state"});
constexpr auto kServers = metrics::gauge(
    "pgconn_pgbouncer_pool_servers",
    "Connections of the pool to the server, by state: active, idle, used (idle for longer than "
    "server_check_delay), tested, login, active_cancel, being_canceled.",
    {"database", "user", "state"});
constexpr auto kWait =
    metrics::gauge("pgconn_pgbouncer_pool_wait_seconds",
                   "How long the first client in the pool's queue has waited; 0: none waits.",
                   {"database", "user"}, Unit::kSeconds, Fold::kMax);

constexpr const metrics::Descriptor* kDescriptors[] = {&kClients, &kServers, &kWait};

constexpr CollectorInfo kInfo{.name = "pools",
                              .help = "PgBouncer's pools: clients, servers, and who waits.",
                              .descriptors = kDescriptors};

struct Counted {
  std::string_view column;
  const metrics::Descriptor* descriptor;
  std::string_view state;
};

constexpr Counted kCounted[] = {
    {"cl_active", &kClients, "active"},
    {"cl_waiting", &kClients, "waiting"},
    {"cl_active_cancel_req", &kClients, "active_cancel_req"},
    {"cl_waiting_cancel_req", &kClients, "waiting_cancel_req"},
    {"sv_active", &kServers, "active"},
    {"sv_active_cancel", &kServers, "active_cancel"},
    {"sv_being_canceled", &kServers, "being_canceled"},
    {"sv_idle", &kServers, "idle"},
    {"sv_used", &kServers, "used"},
    {"sv_tested", &kServers, "tested"},
    {"sv_login", &kServers, "login"},
};

constexpr std::string_view kKnown[] = {"database",
                                       "user",
                                       "cl_active",
                                       "cl_waiting",
                                       "cl_active_cancel_req",
                                       "cl_waiting_cancel_req",
                                       "sv_active",
                                       "sv_active_cancel",
                                       "sv_being_canceled",
                                       "sv_idle",
                                       "sv_used",
                                       "sv_tested",
                                       "sv_login",
                                       "maxwait",
                                       "maxwait_us",
                                       "pool_mode",
                                       "load_balance_hosts"};

class PoolsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&pooler_pools_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext&) const override {
    CollectorOutput output;
    const postgres::Rows& answer = readings.rows(pooler_pools_reading());
    output.strange = unknown_columns("SHOW POOLS", answer, kKnown);
    const ConsoleRows rows(answer, "database");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::string database = rows.text(row, "database"), user = rows.text(row, "user");
      if (database == kConsole) continue;
      for (const Counted& counted : kCounted) {
        if (const auto count = rows.number(row, counted.column)) {
          output.batch.add(*counted.descriptor, *count,
                           {database, user, std::string(counted.state)});
        }
      }
    }
    for (const PoolWait& pool : pool_waits(answer)) {
      output.batch.add(kWait, pool.seconds, {pool.database, pool.user});
    }
    return output;
  }
};

}  // namespace

std::vector<PoolWait> pool_waits(const postgres::Rows& answer) {
  const ConsoleRows rows(answer, "database");
  std::vector<PoolWait> waits;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto whole = rows.number(row, "maxwait");
    if (!whole) continue;
    PoolWait pool{rows.text(row, "database"), rows.text(row, "user")};
    if (pool.database == kConsole) continue;
    pool.seconds = *whole + rows.number(row, "maxwait_us").value_or(0) / 1e6;
    pool.waiting = rows.number(row, "cl_waiting").value_or(0);
    waits.push_back(std::move(pool));
  }
  return waits;
}

const Collector& pools_collector() {
  static const PoolsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
