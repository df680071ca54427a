#include "sources/host/sockets.h"

#include <algorithm>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

// The fuller of two queues. A limit of 0 lets one connection wait.
AcceptQueue fuller(AcceptQueue a, AcceptQueue b) {
  const auto share = [](AcceptQueue queue) {
    return static_cast<double>(queue.waiting) / (static_cast<double>(queue.limit) + 1);
  };
  return share(b) > share(a) ? b : a;
}

void add_timer(const TcpSocket& socket, SocketTotals& totals) {
  switch (socket.timer) {
    case TcpTimer::kRetransmit:
      ++totals.with_retransmit;
      break;
    case TcpTimer::kKeepalive:
      ++totals.with_keepalive;
      break;
    case TcpTimer::kZeroWindow:
      ++totals.with_zero_window;
      break;
    case TcpTimer::kTimeWait:
    case TcpTimer::kNone:
      ++totals.with_no_timer;
      break;
  }
}

void add_queues(const TcpSocket& socket, SocketTotals& totals) {
  totals.unread_bytes += socket.receive_queue;
  // The send queue contains both kinds; if the kernel does not distinguish them, neither is known.
  if (!socket.info || !socket.info->unsent_bytes) return;
  const std::uint32_t unsent = std::min(*socket.info->unsent_bytes, socket.send_queue);
  totals.unsent_bytes += unsent;
  totals.unacknowledged_bytes += socket.send_queue - unsent;
}

}  // namespace

SocketTotals total(std::span<const TcpSocket> sockets) {
  SocketTotals totals;
  for (const TcpSocket& socket : sockets) {
    const bool known = socket.state > 0 && socket.state <= kTcpStates;
    ++totals.by_state[known ? static_cast<std::size_t>(socket.state) : 0];
    if (socket.state == kTcpListen) {
      const AcceptQueue queue{socket.receive_queue, socket.send_queue};
      totals.accept_queue = totals.accept_queue ? fuller(*totals.accept_queue, queue) : queue;
      continue;
    }
    add_queues(socket, totals);
    if (socket.state != kTcpEstablished) continue;
    add_timer(socket, totals);
    if (socket.unanswered > 0) ++totals.unanswered;
  }
  return totals;
}

std::optional<std::uint64_t> parse_listen_overflows(std::string_view netstat) {
  // Two lines for each protocol: "TcpExt: Name Name…" and "TcpExt: 1 2…".
  while (!netstat.empty()) {
    const auto names = words(take_line(netstat));
    if (names.empty() || names.front() != "TcpExt:") continue;
    const auto values = words(take_line(netstat));
    const auto at = std::find(names.begin(), names.end(), "ListenOverflows") - names.begin();
    const auto index = static_cast<std::size_t>(at);
    if (values.size() != names.size() || index == names.size()) return std::nullopt;
    return number<std::uint64_t>(values[index]);
  }
  return std::nullopt;
}

}  // namespace pgconn::host
