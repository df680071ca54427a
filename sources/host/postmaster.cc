#include "sources/host/postmaster.h"

#include <unistd.h>

#include <cmath>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

// Also edb-postgres, and the link `postmaster` of older packages.
bool is_postgres(std::string_view name) {
  return name.find("postgres") != std::string_view::npos || name == "postmaster";
}

bool is_loopback(std::string_view address) {
  if (address.starts_with("::ffff:")) address.remove_prefix(7);
  return address.starts_with("127.") || address == "::1";
}

struct Search {
  const std::string& procfs;
  const ServerClaims& server;
  double boot_time;
  double ticks_per_second;

  // The parent of `pid`, if both are the server's.
  std::optional<Process> postmaster_above(int pid) const {
    const auto backend = read_process(procfs, pid);
    if (!backend) return std::nullopt;
    auto parent = read_process(procfs, backend->parent);
    if (!parent || !are_of(server, *backend, *parent, boot_time, ticks_per_second)) {
      return std::nullopt;
    }
    return parent;
  }

  bool is_inner_pid(int pid) const {
    const auto process = read_process(procfs, pid);
    if (!process || !is_postgres(process->name)) return false;
    const FileText status = read_proc_file(procfs + "/" + std::to_string(pid) + "/status");
    const auto pids = parse_namespace_pids(status.text);
    return pids.size() > 1 && pids.back() == server.backend_pid;
  }
};

}  // namespace

bool is_local_peer(std::string_view own_address, std::string_view peer_address) {
  const bool unix_socket =
      peer_address.empty() || peer_address.front() == '/' || peer_address.front() == '@';
  return unix_socket || is_loopback(peer_address) || own_address == peer_address;
}

bool are_of(const ServerClaims& server, const Process& backend, const Process& postmaster,
            double boot_time, double ticks_per_second) {
  const auto began_at = [&](const Process& process, double told, double tolerance) {
    const double start = boot_time + static_cast<double>(process.start_ticks) / ticks_per_second;
    return std::abs(start - told) <= tolerance;
  };
  return server.peer_is_local && backend.parent == postmaster.pid && is_postgres(backend.name) &&
         is_postgres(postmaster.name) &&
         began_at(backend, server.backend_start, kBackendTolerance) &&
         began_at(postmaster, server.postmaster_start, kPostmasterTolerance);
}

FoundPostmaster find_postmaster(const std::string& procfs, const ServerClaims& server,
                                Deadline deadline) {
  if (!server.peer_is_local) return {{}, "the server is on another machine"};
  const FileText stat = read_proc_file(procfs + "/stat", std::size_t{4} * 1024 * 1024);
  const auto boot_time = parse_boot_time(stat.text);
  if (!boot_time)
    return {{}, stat.ok() ? procfs + "/stat does not tell the boot's time" : stat.error};
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const Search search{procfs, server, *boot_time, ticks};
  if (auto found = search.postmaster_above(server.backend_pid)) return {std::move(found), ""};
  for (const int pid : list_processes(procfs)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return {{}, "too many processes under " + procfs + " to look through in time"};
    }
    if (!search.is_inner_pid(pid)) continue;
    if (auto found = search.postmaster_above(pid)) return {std::move(found), ""};
  }
  return {{},
          "no process under " + procfs +
              " is the server's: it is on another machine, or in a pid "
              "namespace that cannot be seen from here"};
}

bool is_still_there(const std::string& procfs, const Process& process) {
  const auto now = read_process(procfs, process.pid);
  return now && now->start_ticks == process.start_ticks;
}

}  // namespace pgconn::host
