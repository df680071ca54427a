// What one look at the host of a server showed. A value: what could not be read is absent, and
// `unread` says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/host/kernel_log.h"
#include "sources/host/memory.h"
#include "sources/host/processes.h"
#include "sources/host/sock_diag.h"
#include "sources/host/sockets.h"

namespace pgconn::host {

// The parts of a look, each of which may be readable or not.
enum class Part { kPostmaster, kSockets, kMemory, kCgroup, kKernelSettings, kKernelLog };
inline constexpr Part kParts[] = {Part::kPostmaster, Part::kSockets,        Part::kMemory,
                                  Part::kCgroup,     Part::kKernelSettings, Part::kKernelLog};

// `postmaster`, `sockets`, `memory`, `cgroup`, `kernel_settings`, `kernel_log`.
std::string_view part_name(Part part);

struct Unread {
  Part part{};
  std::string why{};
};

// All sockets of the server's port, because HostLedger counts for each one what happened between
// two looks.
struct ServerSockets {
  std::vector<TcpSocket> sockets{};
  bool complete = false;  // false: some may be missing, so counts are unknown
};

// -1000 to 1000; the kernel kills the highest first, and never one with -1000.
struct OomScores {
  std::optional<int> postmaster{};
  std::optional<int> lowest_child{};
  std::optional<int> highest_child{};
};

struct HostReading {
  std::optional<Process> postmaster{};  // absent: the server is not known to be on this machine
  OomScores oom_scores{};
  std::optional<ServerSockets> sockets{};
  // Of all ports in the server's network namespace, since the namespace began.
  std::optional<std::uint64_t> listen_overflows{};
  HostMemory memory{};
  std::optional<std::uint64_t> host_oom_kills{};  // since boot, those of all cgroups included
  CgroupMemory cgroup{};                          // of the postmaster
  std::vector<KernelSetting> kernel_settings{};
  std::optional<KernelLogLook> kernel_log{};
  std::vector<Unread> unread{};
};

}  // namespace pgconn::host
