// The page at /: what this is, what it watches and how that goes. Pure functions; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::exporter {

// Below the telemetry path: the exporter's own metrics alone, for who scrapes each target apart.
inline constexpr std::string_view kOwnMetrics = "/exporter";

// How one collector did in a target's last scrape.
struct CollectorView {
  enum class State { kSucceeded, kFailed, kSkipped };
  std::string name;
  State state = State::kSucceeded;
  std::string reason;  // in words, where it failed or was skipped
  std::string grant;   // the SQL that would help, or empty
};

// A finding of the lint of settings.
struct FindingView {
  std::string name, subject, reason;
  std::string fix;  // the SQL
};

struct TargetView {
  enum class State { kUp, kDown, kNotYetScraped };
  std::string name;
  std::string address;  // host:port/database
  State state = State::kNotYetScraped;
  std::string error;           // the last one in words, or empty
  std::string advice;          // what to do about it, or empty
  std::string server_version;  // empty if not known yet
  std::string role;            // "primary" or "standby", empty if not known yet
  std::optional<std::chrono::milliseconds> since_last_scrape;
  std::optional<std::chrono::milliseconds> scrape_duration;
  std::vector<CollectorView> collectors;
  std::vector<FindingView> findings;
};

struct LandingPage {
  std::string version;
  std::string revision;
  std::string telemetry_path;
  std::string config_file;  // empty: libpq's environment names the one target
  std::vector<TargetView> targets;
};

// The whole HTML document. Every text of the view is escaped, invalid UTF-8 replaced.
std::string landing_page(const LandingPage& view);

// A duration as a person says it: "under 1 ms", "850 ms", "12 s", "3 min", "2 d". Rounded down; 1 s
// to 10 s with one decimal.
std::string spoken(std::chrono::milliseconds duration);

}  // namespace pgconn::exporter
