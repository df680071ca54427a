// SHOW USERS: the limits of users, where they have any (PgBouncer 1.23 and later).
#include <string>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

constexpr auto kServers =
    metrics::gauge("pgconn_pgbouncer_user_servers",
                   "Connections of PgBouncer to servers as the user, where these are limited "
                   "(PgBouncer 1.23 and later).",
                   {"user"});
constexpr auto kServersMax =
    metrics::gauge("pgconn_pgbouncer_user_servers_max",
                   "max_user_connections of the user, where it has one.", {"user"});
constexpr auto kClients = metrics::gauge(
    "pgconn_pgbouncer_user_clients",
    "Clients logged in as the user, where these are limited (PgBouncer 1.24 and later).", {"user"});
constexpr auto kClientsMax =
    metrics::gauge("pgconn_pgbouncer_user_clients_max",
                   "max_user_client_connections of the user, where it has one.", {"user"});

constexpr const metrics::Descriptor* kDescriptors[] = {&kServers, &kServersMax, &kClients,
                                                       &kClientsMax};

constexpr CollectorInfo kInfo{.name = "pool_users",
                              .help = "PgBouncer's users that have limits of their own.",
                              .descriptors = kDescriptors};

constexpr std::string_view kKnown[] = {"name",
                                       "pool_size",
                                       "reserve_pool_size",
                                       "pool_mode",
                                       "max_user_connections",
                                       "current_connections",
                                       "max_user_client_connections",
                                       "current_client_connections"};

struct Limit {
  std::string_view most, used;
  const metrics::Descriptor *most_descriptor, *used_descriptor;
};

constexpr Limit kLimits[] = {
    {"max_user_connections", "current_connections", &kServersMax, &kServers},
    {"max_user_client_connections", "current_client_connections", &kClientsMax, &kClients},
};

class UsersCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&pooler_users_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext&) const override {
    CollectorOutput output;
    const postgres::Rows& answer = readings.rows(pooler_users_reading());
    output.strange = unknown_columns("SHOW USERS", answer, kKnown);
    const ConsoleRows rows(answer, "name");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::string user = rows.text(row, "name");
      for (const Limit& limit : kLimits) {
        const auto most = rows.number(row, limit.most);
        if (!most || *most <= 0) continue;
        output.batch.add(*limit.most_descriptor, *most, {user});
        const auto used = rows.number(row, limit.used);
        if (used) output.batch.add(*limit.used_descriptor, *used, {user});
      }
    }
    return output;
  }
};

}  // namespace

const Collector& pooler_users_collector() {
  static const UsersCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
