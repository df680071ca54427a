// Where the files of a process's memory cgroup are, version 1 or 2. Pure, except search(); any
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
  std::string mount{};      // the topmost visible directory of the hierarchy
  std::string path{};       // in its hierarchy, as our cgroup namespace names it
  // Below `mount` there are this many directories with unknown names, and then `tail`.
  std::size_t unknown_levels = 0;
  std::string tail{};
  std::string error{};  // why it was not found
};

// From /proc/PID/cgroup of the process and /proc/self/mountinfo of our own. Mounts at or below
// `under` (the sysfs's fs/cgroup, such as /host/sys/fs/cgroup) come first.
//
// Both files name cgroups as our cgroup namespace sees them. A path that is not below our own
// cgroup begins with one /.. for each level up. Seen from a container, the root of the host's own
// mount consists of nothing else: if it is /../../.., a server at /../pg is two levels below it,
// and the names of those levels are not known to us.
MemoryCgroup find_memory_cgroup(std::string_view process_cgroups, std::string_view mounts,
                                std::string_view under);

// Looks for a directory whose upper levels have unknown names: the only one that ends in `tail`. It
// is not found if there is none or several.
MemoryCgroup search(MemoryCgroup cgroup);

// The directory and those above it up to the mount: each may have a limit that counts.
std::vector<std::string> with_ancestors(const MemoryCgroup& cgroup);

}  // namespace pgconn::host
