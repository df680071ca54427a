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

// A duration as people say it: "under 1 ms", "850 ms", "12 s", "3 min", "2 d". Rounded down; 1 s to
// 10 s with one decimal.
std::string spoken(std::chrono::milliseconds duration);

}  // namespace pgconn::exporter
