// What is known of the machine that a server runs on, for findings that need it. Values; any
// thread.
#pragma once

#include <cstdint>
#include <optional>

namespace pgconn::collectors {

// The kernel's own keepalive settings in the server's network namespace: what a server's setting of
// 0 means. Absent: not known.
struct KernelKeepalives {
  std::optional<double> idle{}, interval{};  // seconds
  std::optional<double> count{};
};

// Absent means not known, everywhere.
struct HostFacts {
  std::optional<double> memory{};  // bytes that the server may use: its cgroup's limit counts
  bool limited = false;            // by a cgroup, to less than the host has
  std::optional<double> swap{};    // bytes, of the whole host
  std::optional<std::int64_t> overcommit_memory{};  // vm.overcommit_memory: 0, 1 or 2
  std::optional<int> postmaster_oom_score_adj{};
  KernelKeepalives keepalives{};
};

}  // namespace pgconn::collectors
