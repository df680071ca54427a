// The times among PgBouncer's settings. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/pgbouncer/pooler_config.h"

namespace pgconn::collectors {

// In seconds; where a keepalive is left to the kernel, Linux's default. nullopt if this version has
// no such setting, or it is no time.
std::optional<double> pooler_seconds(const PoolerConfig& config, std::string_view name);

}  // namespace pgconn::collectors
