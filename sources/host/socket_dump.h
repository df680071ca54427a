// Asks the kernel for the TCP sockets of a local port, over netlink, without an external command or
// privileges. It sees the sockets of the calling process's network namespace.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sources/host/sock_diag.h"

namespace pgconn::host {

using Deadline = std::chrono::steady_clock::time_point;

// More than any server has; listing them takes about 40 MB.
inline constexpr std::size_t kMostSockets = 100'000;

struct SocketDump {
  std::vector<TcpSocket> sockets{};  // IPv4 and IPv6, connections and listening sockets
  bool complete = false;  // false: the deadline or the limit came first, or something was malformed
  std::string error{};    // why it is not complete; empty if it is
};

// Blocks until the answer is complete, or until the deadline. For a thread that may wait, not for
// the I/O thread. Never throws because of what the kernel says.
SocketDump dump_tcp_sockets(std::uint16_t port, Deadline deadline,
                            std::size_t limit = kMostSockets);

}  // namespace pgconn::host
