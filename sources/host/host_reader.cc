#include "sources/host/host_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "sources/host/own_sockets.h"
#include "sources/host/proc_text.h"
#include "sources/host/socket_dump.h"

namespace pgconn::host {
namespace {

std::string without_slash(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

HostPaths tidied(HostPaths paths) {
  return {without_slash(std::move(paths.procfs)), without_slash(std::move(paths.sysfs)),
          without_slash(std::move(paths.rootfs))};
}

void note(HostReading& reading, Part part, std::string why) {
  reading.unread.push_back({part, std::move(why)});
}

// Whether a process shares our network namespace; nullopt if we may not see that, which takes root
// or the process's own user.
std::optional<bool> is_in_our_network(const std::string& procfs, int pid) {
  struct ::stat ours{};
  struct ::stat its{};
  if (::stat((procfs + "/self/ns/net").c_str(), &ours) != 0) return std::nullopt;
  if (::stat((procfs + "/" + std::to_string(pid) + "/ns/net").c_str(), &its) != 0) {
    return std::nullopt;
  }
  return ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

// Whether our cgroup namespace is the one that the machine booted with; then /proc names cgroups as
// the kernel's log does. The number is a constant of the kernel.
bool names_cgroups_like_the_kernel(const std::string& procfs) {
  std::error_code error;
  const auto link = std::filesystem::read_symlink(procfs + "/self/ns/cgroup", error);
  return !error && link == "cgroup:[4026531835]";
}

// Whether a listening socket belongs to the postmaster's user: then the port here is the server's.
// A container's published port belongs to a proxy of another user.
bool has_listener_of(const std::vector<TcpSocket>& sockets, std::uint32_t user) {
  return std::any_of(sockets.begin(), sockets.end(), [user](const TcpSocket& socket) {
    return socket.state == kTcpListen && socket.uid == user;
  });
}

}  // namespace

std::string_view part_name(Part part) {
  constexpr std::array<std::string_view, std::size(kParts)> kNames = {
      "postmaster", "sockets", "memory", "cgroup", "kernel_settings", "kernel_log"};
  return kNames[static_cast<std::size_t>(part)];
}

HostReader::HostReader(HostPaths paths)
    : paths_(tidied(std::move(paths))), log_(paths_.rootfs + "/dev/kmsg") {}

HostReading HostReader::read(const ServerClaims& server, Deadline deadline) {
  HostReading reading;
  find(server, deadline, reading);
  read_memory(reading);
  read_cgroup(reading);
  // After the counters, so that the log has everything that they have counted.
  read_log(deadline, reading);
  read_oom_scores(deadline, reading);
  read_network(server, deadline, reading);
  return reading;
}

void HostReader::find(const ServerClaims& server, Deadline deadline, HostReading& reading) {
  const bool same = server.peer_is_local && server.postmaster_start == postmaster_start_;
  if (!same || !postmaster_ || !is_still_there(paths_.procfs, *postmaster_)) {
    FoundPostmaster found = find_postmaster(paths_.procfs, server, deadline);
    postmaster_ = std::move(found.process);
    postmaster_start_ = server.postmaster_start;
    // The cgroup of a postmaster that is gone still shows why; that of another server would
    // mislead.
    if (!same) cgroup_ = MemoryCgroup();
    if (!postmaster_) note(reading, Part::kPostmaster, std::move(found.why_not));
  }
  reading.postmaster = postmaster_;
}

void HostReader::read_memory(HostReading& reading) const {
  const FileText meminfo = read_proc_file(paths_.procfs + "/meminfo");
  reading.memory = parse_meminfo(meminfo.text);
  if (!meminfo.ok()) note(reading, Part::kMemory, meminfo.error);
  const FileText vmstat = read_proc_file(paths_.procfs + "/vmstat");
  reading.host_oom_kills = keyed_number(vmstat.text, "oom_kill");
  if (!vmstat.ok()) {
    note(reading, Part::kMemory, vmstat.error);
  } else if (!reading.host_oom_kills) {
    note(reading, Part::kMemory,
         paths_.procfs + "/vmstat does not count OOM kills (Linux does since 4.13)");
  }
}

void HostReader::read_cgroup(HostReading& reading) {
  if (postmaster_) {
    find_cgroup(postmaster_->pid);
  } else if (cgroup_.version == 0) {
    cgroup_.error = "the postmaster is not known";
  }
  reading.cgroup = read_cgroup_memory(cgroup_);
  if (names_cgroups_like_the_kernel(paths_.procfs)) reading.cgroup.path = cgroup_.path;
  if (!reading.cgroup.error.empty()) note(reading, Part::kCgroup, reading.cgroup.error);
}

void HostReader::find_cgroup(int pid) {
  const FileText of_process = read_proc_file(paths_.procfs + "/" + std::to_string(pid) + "/cgroup");
  // Keeps the cgroup while it exists: a search may look at many directories.
  std::error_code error;
  if (of_process.ok() && of_process.text == cgroup_found_for_ &&
      std::filesystem::is_directory(cgroup_.directory, error)) {
    return;
  }
  const FileText mounts =
      read_proc_file(paths_.procfs + "/self/mountinfo", std::size_t{8} * 1024 * 1024);
  if (of_process.ok() && mounts.ok()) {
    cgroup_ = search(find_memory_cgroup(of_process.text, mounts.text, paths_.sysfs + "/fs/cgroup"));
    cgroup_found_for_ = of_process.text;
  } else if (cgroup_.version == 0) {
    cgroup_.error = of_process.ok() ? mounts.error : of_process.error;
  }
}

void HostReader::read_log(Deadline deadline, HostReading& reading) {
  KernelLogLook look = log_.look(deadline);
  if (!look.error.empty()) {
    note(reading, Part::kKernelLog, look.error);
    return;
  }
  reading.kernel_log = std::move(look);
}

void HostReader::read_oom_scores(Deadline deadline, HostReading& reading) const {
  if (!postmaster_) return;
  OomScores& scores = reading.oom_scores;
  scores.postmaster = read_oom_score_adj(paths_.procfs, postmaster_->pid);
  const auto children = children_of(paths_.procfs, postmaster_->pid, deadline);
  for (const int child : children.value_or(std::vector<int>())) {
    if (std::chrono::steady_clock::now() >= deadline) {
      // With some children missing, neither bound is true.
      scores.lowest_child.reset();
      scores.highest_child.reset();
      return;
    }
    const auto score = read_oom_score_adj(paths_.procfs, child);
    if (!score) continue;
    scores.lowest_child = std::min(*score, scores.lowest_child.value_or(*score));
    scores.highest_child = std::max(*score, scores.highest_child.value_or(*score));
  }
}

void HostReader::read_network(const ServerClaims& server, Deadline deadline,
                              HostReading& reading) const {
  bool ours = false;
  if (!postmaster_) {
    note(reading, Part::kSockets, "the postmaster is not known");
  } else {
    const std::string pid = std::to_string(postmaster_->pid);
    // Unlike sock_diag this shows that process's network, not ours.
    reading.listen_overflows =
        parse_listen_overflows(read_proc_file(paths_.procfs + "/" + pid + "/net/netstat").text);
    const auto shared = is_in_our_network(paths_.procfs, postmaster_->pid);
    const auto user = parse_user(read_proc_file(paths_.procfs + "/" + pid + "/status").text);
    SocketDump dump;
    if (shared.value_or(true)) dump = dump_tcp_sockets(server.port, deadline);
    ours = shared.value_or(user && has_listener_of(dump.sockets, *user));
    if (!ours) {
      note(reading, Part::kSockets,
           "the server is in another network namespace, or does not listen on port " +
               std::to_string(server.port) + " here");
    } else if (!dump.sockets.empty() || dump.complete) {
      if (!dump.complete) note(reading, Part::kSockets, dump.error);
      // Another server may listen on the same port at another address.
      const auto inodes = socket_inodes(paths_.procfs, postmaster_->pid, deadline);
      if (inodes) keep_own(dump.sockets, *inodes);
      reading.sockets = ServerSockets{std::move(dump.sockets), dump.complete};
    } else {
      note(reading, Part::kSockets, dump.error);
    }
  }
  // Settings under net/ are those of our own namespace, whichever procfs is mounted.
  reading.kernel_settings = read_kernel_settings(paths_.procfs, ours);
  if (!ours) {
    note(reading, Part::kKernelSettings, "those of the network are not the server's here");
  } else if (reading.kernel_settings.empty()) {
    note(reading, Part::kKernelSettings, "nothing under " + paths_.procfs + "/sys can be read");
  }
}

}  // namespace pgconn::host
