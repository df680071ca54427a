// Which sockets of a port are one server's, where several servers listen on it at different
// addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sources/host/sock_diag.h"
#include "sources/host/socket_dump.h"

namespace pgconn::host {

// The inodes of the sockets that a process has open, from /proc/PID/fd. nullopt if they may not be
// seen: that takes root or the process's own user. Stops at the deadline, then also nullopt.
std::optional<std::vector<std::uint32_t>> socket_inodes(const std::string& procfs, int pid,
                                                        Deadline deadline);

// Keeps the sockets at addresses at which the process with these inodes listens. All are kept if it
// listens at none of them: then the sockets' owner is another process, and nothing is known. Pure.
void keep_own(std::vector<TcpSocket>& sockets, const std::vector<std::uint32_t>& inodes);

}  // namespace pgconn::host
