#include "collectors/pgbouncer/builtin.h"

#include <array>

namespace pgconn::collectors {

std::span<const Collector* const> pgbouncer_builtin() {
  static const std::array<const Collector*, 6> collectors{
      &pools_collector(),          &pooler_stats_collector(),
      &pooler_clients_collector(), &pooler_databases_collector(),
      &pooler_users_collector(),   &pooler_settings_collector(),
  };
  return collectors;
}

}  // namespace pgconn::collectors
