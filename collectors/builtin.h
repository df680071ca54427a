// The table of collectors. To add one: its .cc, its unit test, one line in builtin.cc, one in
// CMakeLists.txt; then regenerate docs/metrics.md.
#pragma once

#include <span>

#include "collectors/collector.h"

namespace pgconn::collectors {

// All collectors in the order they are run and listed. Lives as long as the process.
std::span<const Collector* const> builtin();

}  // namespace pgconn::collectors
