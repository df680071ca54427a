// What a scrape learned about the server itself, for the program around the collectors: which
// session we have, what it may see, and whether the server is the same as a scrape ago. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>

#include "collectors/collector.h"
#include "collectors/readings.h"

namespace pgconn::collectors {

struct ServerFacts {
  std::string version;  // "15.18"
  bool in_recovery = false;
  double start_time = 0;        // Unix time of pg_postmaster_start_time()
  double config_load_time = 0;  // Unix time of pg_conf_load_time(), as our session sees it
  // When the postmaster last re-initialized after a crash, 0 if it has not since its start;
  // nullopt if the role may not see the checkpointer.
  std::optional<double> crash_restart_time;
  Visibility visibility;
  std::string role;  // the role we are logged in as
};

// From server_reading(), which the target sends with every scrape whatever is enabled, and
// activity_reading(), where crash_restart_time comes from and which it can do without.
// nullopt if the server reading failed or did not arrive.
std::optional<ServerFacts> facts(const Readings& readings, const Options& options);

enum class Restart { kNone, kClean, kCrash };

// What happened between two scrapes. A younger postmaster is kClean; the same postmaster with a
// newer crash_restart_time is kCrash. An older one is another server (a failover, a moved address).
Restart restart_between(const ServerFacts& before, const ServerFacts& now);

}  // namespace pgconn::collectors
