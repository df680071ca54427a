// Where the files of a process's memory cgroup are, version 1 or 2. Pure but for search(); any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::host {

struct MemoryCgroup {
  int version = 0;          // 1 or 2; 0: not found
  std::string directory{};  // of its files; empty where search() has to find it
  std::string mount{};      // the hierarchy's topmost directory that can be seen here
  std::string path{};       // in its hierarchy, as our cgroup namespace names it
  // Below `mount` lie so many directories whose names are not known, and then `tail`.
  std::size_t unknown_levels = 0;
  std::string tail{};
  std::string error{};  // why it was not found
};

// From /proc/PID/cgroup of the process and /proc/self/mountinfo of our own. Mounts at or below
// `under` (the sysfs's fs/cgroup, say /host/sys/fs/cgroup) are taken first.
//
// Both files name cgroups as our cgroup namespace sees them. What is not below our own cgroup
// begins with one /.. for each level up, and the host's own mount, seen from a container, has a
// root of nothing else: /../../.. and a server at /../pg is two levels below it, by names that we
// are not told.
MemoryCgroup find_memory_cgroup(std::string_view process_cgroups, std::string_view mounts,
                                std::string_view under);

// Looks for a directory whose upper levels have no known names: the only one that ends in `tail`.
// Without one, or with several, it is not found.
MemoryCgroup search(MemoryCgroup cgroup);

// The directory and those above it up to the mount: each may have a limit that counts.
std::vector<std::string> with_ancestors(const MemoryCgroup& cgroup);

}  // namespace pgconn::host
