// Looks at the host of one server: the postmaster, its sockets, its cgroup, the kernel's memory,
// settings and log. All reads in sources/host/ start here. A HostReader belongs to one thread at a
// time, and may block until the deadline: not for the I/O thread.
#pragma once

#include <optional>
#include <string>

#include "sources/host/cgroup.h"
#include "sources/host/host_reading.h"
#include "sources/host/kernel_log.h"
#include "sources/host/postmaster.h"

namespace pgconn::host {

// Where the host's file systems are. In a container they are mounts from the host.
struct HostPaths {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  std::string rootfs = "/";
};

class HostReader {
 public:
  explicit HostReader(HostPaths paths);

  // One look. `server` is what the server says over SQL now, or said when it last answered: while
  // it is down, the postmaster found earlier is looked at if it still runs, and its cgroup in any
  // case. Never throws because of what files and the kernel say; see HostReading::unread. The
  // deadline is not checked between two files, so a look may take some milliseconds longer.
  HostReading read(const ServerClaims& server, Deadline deadline);

 private:
  void read_memory(HostReading& reading) const;
  void find(const ServerClaims& server, Deadline deadline, HostReading& reading);
  void read_oom_scores(Deadline deadline, HostReading& reading) const;
  void read_cgroup(HostReading& reading);
  void find_cgroup(int pid);
  void read_log(Deadline deadline, HostReading& reading);
  void read_network(const ServerClaims& server, Deadline deadline, HostReading& reading) const;

  HostPaths paths_;
  KernelLog log_;
  std::optional<Process> postmaster_;  // as last found
  double postmaster_start_ = 0;        // as the server reported when it was found
  MemoryCgroup cgroup_;                // the postmaster's, as last found
  std::string cgroup_found_for_;       // what /proc/PID/cgroup said then
};

}  // namespace pgconn::host
