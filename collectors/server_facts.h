// What a scrape learned about the server itself, for the program around the collectors: which
// session we have, what it may see, and whether the server is the same as a scrape ago. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/collector.h"

namespace pgconn::collectors {

// What a kind of target does not tell keeps its default.
struct ServerFacts {
  std::string version;              // "15.18"
  std::optional<bool> in_recovery;  // a standby, or a server that recovers
  double start_time = 0;            // Unix time of the postmaster's start; 0: not known
  double config_load_time = 0;      // Unix time of pg_conf_load_time(), as our session sees it
  double clock = 0;                 // the server's, when it answered
  // Which server it is. Empty means not known: on a Unix socket, without the right to see it, on a
  // standby (timeline), in an incomplete answer.
  std::string address, system_identifier, timeline;
  // When the postmaster last re-initialized after a crash, 0 if it has not since its start;
  // nullopt if the role may not see the checkpointer.
  std::optional<double> crash_restart_time;
  Visibility visibility;
  std::string role;  // the role we are logged in as
};

// "primary" or "standby"; empty where there is no such thing.
std::string_view role_name(const ServerFacts& facts);

enum class Change { kNone, kRestart, kCrash, kMove };

// What happened between two scrapes, the earlier of which was begun `unheard` seconds ago. A
// different start time is a move (a failover, a name that leads elsewhere) if the system identifier
// differs, or the server was running before the other was last heard from, or its address differs;
// otherwise it is a restart. For two primaries with one history, both of the latter two must hold.
// The same postmaster with a newer crash_restart_time is kCrash.
Change change_between(const ServerFacts& before, const ServerFacts& now, double unheard);

// Fills in what a scrape that was cut short, or ran only some collectors, did not learn, from what
// was known about the same server.
ServerFacts completed(ServerFacts facts, const ServerFacts& before);

}  // namespace pgconn::collectors
