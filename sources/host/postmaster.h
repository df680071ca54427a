// Which process under a /proc is the postmaster of a server that we talk to, if any: this proves
// that the server runs on this machine. A backend reports its process number over SQL, and its
// parent is the postmaster. But a server elsewhere has such numbers too, so a number alone proves
// nothing. A process with that number is accepted only if
//   - the connection leads to this machine (the caller knows, see is_local_peer()),
//   - it and its parent are named like PostgreSQL's, and
//   - both began when the server says they did.
// Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sources/host/processes.h"

namespace pgconn::host {

// Seconds by which a process's start may differ between the kernel and the server. A backend notes
// its start at once; the kernel gives the boot time in whole seconds. A postmaster notes its own
// only after its shared memory is set up, which takes a while if that is large, and setting the
// clock since then changes the kernel's value but not the server's.
inline constexpr double kBackendTolerance = 3;
inline constexpr double kPostmasterTolerance = 120;

// What a server says about itself over SQL.
struct ServerClaims {
  std::uint16_t port = 0;       // inet_server_port(), or the setting `port` on a Unix socket
  int backend_pid = 0;          // pg_backend_pid() of a session that is still open
  double backend_start = 0;     // its pg_stat_activity.backend_start, Unix time
  double postmaster_start = 0;  // pg_postmaster_start_time(), Unix time
  bool peer_is_local = false;   // the session's other end is this machine: is_local_peer()
};

// True if a connection between these two addresses (numeric, as from getsockname and getpeername)
// stays on this machine: a Unix socket (empty or a path), loopback, or our own address at both
// ends. A tunnel that begins on loopback looks the same: hence the other proofs.
bool is_local_peer(std::string_view own_address, std::string_view peer_address);

// Whether `backend` and its parent `postmaster` match what the server says. Pure.
bool are_of(const ServerClaims& server, const Process& backend, const Process& postmaster,
            double boot_time, double ticks_per_second);

struct FoundPostmaster {
  std::optional<Process> process{};
  std::string why_not{};  // set if `process` is not
};

// Looks for it: first the process with that number, then (the server may be in a container) one
// that has it in its innermost pid namespace. Stops at the deadline.
FoundPostmaster find_postmaster(const std::string& procfs, const ServerClaims& server,
                                Deadline deadline);

// True if a process found earlier is still there, and not another one with its number.
bool is_still_there(const std::string& procfs, const Process& process);

}  // namespace pgconn::host
