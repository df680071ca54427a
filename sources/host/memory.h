// Memory of the host and of a cgroup, OOM kills, and the kernel's settings that a server's
// connections depend on. The parsing is pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/host/cgroup.h"

namespace pgconn::host {

// Of the whole machine, in bytes.
struct HostMemory {
  std::optional<std::uint64_t> total{};
  std::optional<std::uint64_t> available{};
  std::optional<std::uint64_t> swap_total{};  // 0: no swap
  std::optional<std::uint64_t> swap_free{};
  std::optional<std::uint64_t> commit_limit{};  // holds only with vm.overcommit_memory = 2
  std::optional<std::uint64_t> committed{};
};

// From /proc/meminfo. Pure.
HostMemory parse_meminfo(std::string_view meminfo);

// Of the server's cgroup.
struct CgroupMemory {
  // As named in the kernel's log; empty if that is not known (see HostReader).
  std::string path{};
  std::uint64_t id = 0;                      // the directory's inode: it differs between cgroups
  std::optional<std::uint64_t> limit{};      // bytes; the lowest of its own and those above it
  std::optional<std::uint64_t> used{};       // bytes, page cache included
  std::optional<std::uint64_t> oom_kills{};  // since the cgroup was made
  std::string error{};                       // why there are no kills to read
};

// A limit as in memory.max (version 2) and memory.limit_in_bytes (version 1); nullopt for none:
// `max`, or a number beyond all memory. Pure.
std::optional<std::uint64_t> parse_limit(std::string_view text);

// Reads the files of a cgroup and the limits above it.
CgroupMemory read_cgroup_memory(const MemoryCgroup& cgroup);

// The most that the server may use, in bytes: the host's memory, or its cgroup's limit if that is
// less.
std::optional<std::uint64_t> usable_memory(const HostMemory& host, const CgroupMemory& cgroup);

// A setting of the kernel under /proc/sys.
struct KernelSetting {
  std::string_view name{};  // as sysctl has it, such as net.ipv4.tcp_keepalive_time
  std::int64_t value = 0;
};

// The settings that can be read. `network`: include those of the network, which are always the ones
// of the calling thread's network namespace, whichever procfs is mounted.
std::vector<KernelSetting> read_kernel_settings(const std::string& procfs, bool network);

// A setting's value; nullopt if it was not read.
std::optional<std::int64_t> value_of(const std::vector<KernelSetting>& settings,
                                     std::string_view name);

}  // namespace pgconn::host
