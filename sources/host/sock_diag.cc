#include "sources/host/sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace pgconn::host {
namespace {

using Bytes = std::span<const std::byte>;

// The start of `bytes` as a T. Copied, because a pointer to them could be misaligned.
template <typename T>
std::optional<T> read_as(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// Netlink pads messages and attributes to four bytes; the last one may lack the padding.
std::size_t padded(std::size_t length, std::size_t available) {
  return std::min((length + 3) & ~std::size_t{3}, available);
}

template <typename Field>
bool holds(Bytes payload, std::size_t offset) {
  return payload.size() >= offset + sizeof(Field);
}

TcpInfo parse_info(Bytes payload) {
  // Older kernels send less, newer ones more: missing fields stay 0.
  tcp_info raw{};
  std::memcpy(&raw, payload.data(), std::min(payload.size(), sizeof raw));
  TcpInfo info{.smoothed_round_trip_us = raw.tcpi_rtt, .total_retransmits = raw.tcpi_total_retrans};
  if (holds<decltype(raw.tcpi_bytes_acked)>(payload, offsetof(tcp_info, tcpi_bytes_acked))) {
    info.acknowledged_bytes = raw.tcpi_bytes_acked;
  }
  if (holds<decltype(raw.tcpi_notsent_bytes)>(payload, offsetof(tcp_info, tcpi_notsent_bytes))) {
    info.unsent_bytes = raw.tcpi_notsent_bytes;
  }
  return info;
}

// TCP_INFO up to its count of retransmissions: every kernel of the last fifteen years sends that
// much.
constexpr std::size_t kLeastInfo = offsetof(tcp_info, tcpi_total_retrans) + sizeof(std::uint32_t);

std::size_t parse_attributes(Bytes bytes, TcpSocket& socket) {
  while (!bytes.empty()) {
    const auto header = read_as<rtattr>(bytes);
    if (!header || header->rta_len < sizeof(rtattr) || header->rta_len > bytes.size()) return 1;
    const Bytes payload = bytes.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr));
    if (header->rta_type == INET_DIAG_INFO) {
      if (payload.size() < kLeastInfo) return 1;
      socket.info = parse_info(payload);
    }
    bytes = bytes.subspan(padded(header->rta_len, bytes.size()));
  }
  return 0;
}

TcpTimer timer_of(std::uint8_t number) {
  constexpr std::array kTimers = {TcpTimer::kNone, TcpTimer::kRetransmit, TcpTimer::kKeepalive,
                                  TcpTimer::kTimeWait, TcpTimer::kZeroWindow};
  return number < kTimers.size() ? kTimers[number] : TcpTimer::kNone;
}

TcpAddress local_address(const inet_diag_msg& message) {
  TcpAddress address{.family = message.idiag_family};
  const std::size_t length = message.idiag_family == AF_INET ? 4 : address.bytes.size();
  std::memcpy(address.bytes.data(), message.id.idiag_src, length);
  return address;
}

TcpSocket socket_of(const inet_diag_msg& message) {
  return {.cookie = std::uint64_t{message.id.idiag_cookie[1]} << 32 | message.id.idiag_cookie[0],
          .state = message.idiag_state,
          .timer = timer_of(message.idiag_timer),
          .unanswered = message.idiag_retrans,
          .remote_port = ntohs(message.id.idiag_dport),
          .receive_queue = message.idiag_rqueue,
          .send_queue = message.idiag_wqueue,
          .uid = message.idiag_uid,
          .inode = message.idiag_inode,
          .local = local_address(message)};
}

struct Parser {
  std::uint16_t port;
  std::size_t limit;
  std::vector<TcpSocket>& sockets;
  DumpPart part{};

  void take_socket(Bytes payload) {
    const auto message = read_as<inet_diag_msg>(payload);
    if (!message) {
      ++part.malformed;
      return;
    }
    if (ntohs(message->id.idiag_sport) != port || sockets.size() >= limit) return;
    TcpSocket socket = socket_of(*message);
    part.malformed += parse_attributes(payload.subspan(sizeof *message), socket);
    sockets.push_back(socket);
  }

  void take(const nlmsghdr& header, Bytes payload) {
    switch (header.nlmsg_type) {
      case SOCK_DIAG_BY_FAMILY:
        take_socket(payload);
        break;
      case NLMSG_DONE:
      case NLMSG_ERROR:
        // Both carry a negative errno, or 0 (which DONE may leave out).
        part.done = true;
        if (const auto error = read_as<int>(payload)) {
          part.error = *error < 0 ? -std::max(*error, -4095) : 0;
        } else if (header.nlmsg_type == NLMSG_ERROR) {
          ++part.malformed;
        }
        break;
      default:
        break;
    }
  }
};

}  // namespace

std::string_view tcp_state_name(int state) {
  constexpr std::array<std::string_view, kTcpStates + 1> kNames = {
      "other",     "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2",
      "time_wait", "close",       "close_wait", "last_ack", "listen",    "closing"};
  const bool known = state > 0 && static_cast<std::size_t>(state) < kNames.size();
  return kNames[known ? static_cast<std::size_t>(state) : 0];
}

std::vector<std::byte> sock_diag_request(int family, std::uint16_t port, std::uint32_t sequence) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message{};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.header.nlmsg_seq = sequence;
  message.request.sdiag_family = static_cast<std::uint8_t>(family);
  message.request.sdiag_protocol = IPPROTO_TCP;
  message.request.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  // Bits 1 to 12: all of TCP's states, without the pseudo-states of newer kernels.
  message.request.idiag_states = 0x1ffe;
  // The kernel filters by port itself, so a busy host's other sockets are not even copied.
  message.request.id.idiag_sport = htons(port);
  std::vector<std::byte> bytes(sizeof message);
  std::memcpy(bytes.data(), &message, sizeof message);
  return bytes;
}

DumpPart parse_sock_diag(Bytes datagram, std::uint32_t sequence, std::uint16_t port,
                         std::size_t limit, std::vector<TcpSocket>& sockets) {
  Parser parser{port, limit, sockets};
  while (!datagram.empty() && !parser.part.done) {
    const auto header = read_as<nlmsghdr>(datagram);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
      ++parser.part.malformed;
      break;
    }
    if (header->nlmsg_seq == sequence) {
      parser.take(*header,
                  datagram.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr)));
    }
    datagram = datagram.subspan(padded(header->nlmsg_len, datagram.size()));
  }
  return parser.part;
}

}  // namespace pgconn::host
