// Where the files of a process's memory cgroup are, version 1 or 2. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgconn::host {

struct MemoryCgroup {
  int version = 0;          // 1 or 2; 0: not found
  std::string directory{};  // of its files
  std::string mount{};      // the hierarchy's topmost directory that can be seen here
  std::string path{};       // in its hierarchy, as our cgroup namespace names it
  std::string error{};      // why it was not found
};

// From /proc/PID/cgroup of the process and /proc/self/mountinfo of our own. Only mounts at or below
// `under` (the sysfs's fs/cgroup, say /host/sys/fs/cgroup) are taken. Paths in the first file
// are those of our own cgroup namespace, and the mounts' roots too: where the process is above
// or beside us, both begin with /.. and the difference is the directory.
MemoryCgroup find_memory_cgroup(std::string_view process_cgroups, std::string_view mounts,
                                std::string_view under);

// The directory and those above it up to the mount: each may have a limit that counts.
std::vector<std::string> with_ancestors(const MemoryCgroup& cgroup);

}  // namespace pgconn::host
