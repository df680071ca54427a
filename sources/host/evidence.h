// Whether a process of the server was killed for want of memory between two looks at its host.
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
  // What the kernel's log told in between; 0 and empty if it cannot be read.
  std::uint64_t in_log = 0;  // kills of any process on the machine
  // Those of PostgreSQL, with pid and time: of the server's cgroup, or where the log does not tell
  // the cgroup or ours is not known by its name, of any PostgreSQL on this machine.
  std::vector<OomKill> of_postgres{};
};

// Both of the same HostReader, `before` first.
OomEvidence oom_between(const HostReading& before, const HostReading& after);

// Whether a process of the server was killed; nullopt if nothing that was read can tell. The best
// witness is the cgroup's counter: it counts every kill of its processes, whatever memory ran out.
// Without it, no kill on the whole host acquits, a PostgreSQL's in the log convicts, and as many
// kills of other programs in the log as the host has counted acquit.
std::optional<bool> server_was_oom_killed(const OomEvidence& evidence);

}  // namespace pgconn::host
