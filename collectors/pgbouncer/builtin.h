// The table of PgBouncer's collectors. To add one: its .cc, its unit test, one line here and in
// builtin.cc, one in CMakeLists.txt; then regenerate docs/metrics.md.
#pragma once

#include <span>

#include "collectors/collector.h"

namespace pgconn::collectors {

// All collectors in the order they are run and listed. Lives as long as the process.
std::span<const Collector* const> pgbouncer_builtin();

const Collector& pools_collector();
const Collector& pooler_stats_collector();
const Collector& pooler_clients_collector();
const Collector& pooler_databases_collector();
const Collector& pooler_users_collector();
const Collector& pooler_settings_collector();

}  // namespace pgconn::collectors
