// Facts about processes under a /proc: their names, when they began, which the kernel would kill
// first. Reads `stat` and `status` but never `cmdline`, which waits for a lock on the process's
// memory, forever if the process is stuck. All are readable without privilege, unless /proc is
// mounted with hidepid. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/host/socket_dump.h"  // Deadline

namespace pgconn::host {

struct Process {
  int pid = 0;
  int parent = 0;
  std::string name{};             // as the kernel has it, 15 bytes at most
  std::uint64_t start_ticks = 0;  // clock ticks after boot; with the pid it is unique
  bool operator==(const Process&) const = default;
};

// From /proc/PID/stat. Pure; nullopt if malformed.
std::optional<Process> parse_process_stat(std::string_view stat);

// The process's numbers in its pid namespaces, outermost first, from /proc/PID/status. Pure.
std::vector<int> parse_namespace_pids(std::string_view status);

// The effective user from /proc/PID/status. Pure.
std::optional<std::uint32_t> parse_user(std::string_view status);

// Unix time of the boot, from /proc/stat. Pure.
std::optional<double> parse_boot_time(std::string_view stat);

// Reads one process; nullopt if there is none with that number, or it may not be seen.
std::optional<Process> read_process(const std::string& procfs, int pid);

// -1000 (never killed) to 1000, from /proc/PID/oom_score_adj.
std::optional<int> read_oom_score_adj(const std::string& procfs, int pid);

// The numbers of all visible processes, at most 100,000.
std::vector<int> list_processes(const std::string& procfs);

// The children of a process, as many as are found by the deadline. nullopt if they cannot be found.
std::optional<std::vector<int>> children_of(const std::string& procfs, int pid, Deadline deadline);

}  // namespace pgconn::host
