// Totals over the sockets of a server's port: how many in which state, what waits in their queues,
// which timers run. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sources/host/sock_diag.h"

namespace pgconn::host {

// How many connections wait to be accepted, and how many may. A queue above its limit drops new
// connections: they are slow or time out while the server is up.
struct AcceptQueue {
  std::uint32_t waiting = 0;
  std::uint32_t limit = 0;
};

struct SocketTotals {
  std::array<std::uint64_t, kTcpStates + 1> by_state{};  // index: the state's number; 0: unknown
  std::uint64_t unacknowledged_bytes = 0;  // sent, not acknowledged by the peer's kernel
  std::uint64_t unsent_bytes = 0;          // written by the server, not yet sent
  std::uint64_t unread_bytes = 0;          // arrived, not yet read by the server
  // Established connections by the timer that runs on them. One without a timer that has nothing to
  // send would not notice that its peer is gone: it has no keepalive.
  std::uint64_t with_retransmit = 0;
  std::uint64_t with_keepalive = 0;
  std::uint64_t with_zero_window = 0;
  std::uint64_t with_no_timer = 0;
  std::uint64_t unanswered = 0;  // established, and the last retransmission or probe had no answer
  std::optional<AcceptQueue> accept_queue{};  // of the listening socket whose queue is fullest
};

SocketTotals total(std::span<const TcpSocket> sockets);

// How many connections have found an accept queue full since the network namespace began, on any
// port, from /proc/PID/net/netstat; nullopt if it does not say.
std::optional<std::uint64_t> parse_listen_overflows(std::string_view netstat);

}  // namespace pgconn::host
