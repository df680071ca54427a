// The table of PostgreSQL's collectors. To add one: its .cc, its unit test, one line here and in
// builtin.cc, one in CMakeLists.txt; then regenerate docs/metrics.md.
#pragma once

#include <span>

#include "collectors/collector.h"

namespace pgconn::collectors {

// All collectors in the order they are run and listed. Lives as long as the process.
std::span<const Collector* const> builtin();

const Collector& server_collector();
const Collector& sessions_collector();
const Collector& blocking_collector();
const Collector& limits_collector();
const Collector& session_ends_collector();
const Collector& transport_collector();
const Collector& settings_collector();

}  // namespace pgconn::collectors
