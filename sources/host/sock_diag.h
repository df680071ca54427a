// The kernel's list of TCP sockets from netlink's sock_diag (sock_diag(7)): the request as bytes,
// and the sockets in an answer. Values only, no I/O; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pgconn::host {

// TCP states by the kernel's numbers, 1 to 11.
inline constexpr int kTcpEstablished = 1;
inline constexpr int kTcpListen = 10;
inline constexpr int kTcpStates = 11;

// `established`, `syn_sent`, … as node_exporter names them; `other` for a number that is not a
// state.
std::string_view tcp_state_name(int state);

// What TCP_INFO says about one connection. A field that the kernel is too old for is absent.
struct TcpInfo {
  std::uint32_t smoothed_round_trip_us = 0;  // 0 before the first measurement
  std::uint32_t total_retransmits = 0;       // segments, since the connection began
  std::optional<std::uint64_t> acknowledged_bytes{};
  std::optional<std::uint32_t> unsent_bytes{};  // written but never sent yet
};

// The timer that runs on a socket.
enum class TcpTimer { kNone, kRetransmit, kKeepalive, kTimeWait, kZeroWindow };

// As the kernel has it: the first four bytes of an IPv4 address count, the rest are 0.
struct TcpAddress {
  int family = 0;  // AF_INET, AF_INET6
  std::array<std::byte, 16> bytes{};
  bool operator==(const TcpAddress&) const = default;
};

struct TcpSocket {
  std::uint64_t cookie = 0;  // identifies the socket until the next boot
  int state = 0;
  TcpTimer timer = TcpTimer::kNone;
  std::uint8_t unanswered = 0;  // retransmissions or probes since the peer was last heard from
  std::uint16_t remote_port = 0;
  std::uint32_t receive_queue = 0;  // bytes; of a listening socket: connections not yet accepted
  std::uint32_t send_queue = 0;     // bytes; of a listening socket: its limit
  std::uint32_t uid = 0;            // of the process that made it
  std::uint32_t inode = 0;          // 0 once no process holds it
  TcpAddress local{};
  std::optional<TcpInfo> info{};  // absent if the kernel keeps none (TIME_WAIT, SYN_RECV)
};

// A request for all sockets of `family` (AF_INET, AF_INET6) with that local port. The answers
// repeat `sequence`.
std::vector<std::byte> sock_diag_request(int family, std::uint16_t port, std::uint32_t sequence);

// What one datagram of the answer said.
struct DumpPart {
  bool done = false;          // it was the last one
  int error = 0;              // the errno value with which the kernel refused
  std::size_t malformed = 0;  // invalid messages and attributes
};

// Appends the sockets of `port` in a datagram to `sockets`, up to `limit` of them in all; messages
// that answer another request are skipped. Nothing is read beyond an invalid length.
DumpPart parse_sock_diag(std::span<const std::byte> datagram, std::uint32_t sequence,
                         std::uint16_t port, std::size_t limit, std::vector<TcpSocket>& sockets);

}  // namespace pgconn::host
