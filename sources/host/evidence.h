// Whether a process of the server was killed for lack of memory between two looks at its host.
// Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sources/host/host_reading.h"

namespace pgconn::host {

// Kills between two looks. A count is absent if either look could not read it.
struct OomEvidence {
  std::optional<std::uint64_t> in_host{};    // of any process on the machine
  std::optional<std::uint64_t> in_cgroup{};  // of processes in the postmaster's cgroup
  // What the kernel's log reported in between; 0 and empty if it cannot be read.
  std::uint64_t in_log = 0;  // kills of any process on the machine
  // Kills of PostgreSQL processes, with pid and time: those in the server's cgroup, or, if the log
  // does not name the cgroup or the server's has no known name, of any PostgreSQL on this machine.
  std::vector<OomKill> of_postgres{};
};

// Both looks are of the same HostReader, `before` first.
OomEvidence oom_between(const HostReading& before, const HostReading& after);

// Whether a process of the server was killed; nullopt if nothing that was read can tell. The best
// witness is the cgroup's counter: it counts every kill of its processes, whatever memory ran out.
// Without it: false if the whole host had no kill; true if the log has one of PostgreSQL; false if
// the log has as many kills of other programs as the host has counted.
std::optional<bool> server_was_oom_killed(const OomEvidence& evidence);

}  // namespace pgconn::host
