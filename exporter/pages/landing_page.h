// The page at /: what this is, what it watches, and the state of that. Pure functions; any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/targets/snapshot.h"

namespace pgconn::exporter {

// Below the telemetry path: the exporter's own metrics alone, for setups that scrape each target
// separately.
inline constexpr std::string_view kOwnMetrics = "/exporter";

struct LandingPage {
  std::string version;
  std::string revision;
  std::string telemetry_path;
  std::string config_file;  // empty: libpq's environment names the one target
  std::vector<TargetSnapshot> targets;
  std::chrono::system_clock::time_point now;
};

// The whole HTML document. Every text is escaped, invalid UTF-8 replaced.
std::string landing_page(const LandingPage& view);

}  // namespace pgconn::exporter
