#include "sources/host/sockets.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

TcpSocket established(TcpTimer timer, std::uint32_t send_queue, std::optional<TcpInfo> info) {
  TcpSocket socket{.state = kTcpEstablished, .timer = timer};
  socket.send_queue = send_queue;
  socket.info = info;
  return socket;
}

TcpSocket listening(std::uint32_t waiting, std::uint32_t limit) {
  TcpSocket socket{.state = kTcpListen};
  socket.receive_queue = waiting;
  socket.send_queue = limit;
  return socket;
}

}  // namespace

TEST_CASE("no sockets come to zeros and no accept queue") {
  const SocketTotals totals = total({});
  CHECK(totals.by_state[kTcpEstablished] == 0);
  CHECK_FALSE(totals.accept_queue);
}

TEST_CASE("what waits to be sent and what waits for its acknowledgement are told apart") {
  const TcpInfo info{.unsent_bytes = 300};
  const std::vector sockets = {established(TcpTimer::kRetransmit, 1000, info),
                               established(TcpTimer::kNone, 0, TcpInfo{.unsent_bytes = 0})};
  const SocketTotals totals = total(sockets);
  CHECK(totals.unsent_bytes == 300);
  CHECK(totals.unacknowledged_bytes == 700);
}

TEST_CASE("a queue that changed between two answers of the kernel does not turn negative") {
  const TcpInfo info{.unsent_bytes = 300};
  const SocketTotals totals = total(std::vector{established(TcpTimer::kNone, 100, info)});
  CHECK(totals.unsent_bytes == 100);
  CHECK(totals.unacknowledged_bytes == 0);
}

TEST_CASE("a kernel that does not tell unsent bytes tells neither kind") {
  const SocketTotals totals = total(std::vector{established(TcpTimer::kNone, 100, TcpInfo{})});
  CHECK(totals.unsent_bytes == 0);
  CHECK(totals.unacknowledged_bytes == 0);
}

TEST_CASE("timers are those of established connections") {
  std::vector sockets = {established(TcpTimer::kKeepalive, 0, {}),
                         established(TcpTimer::kKeepalive, 0, {}),
                         established(TcpTimer::kRetransmit, 0, {}),
                         established(TcpTimer::kZeroWindow, 0, {}),
                         established(TcpTimer::kNone, 0, {}),
                         TcpSocket{.state = 6, .timer = TcpTimer::kTimeWait}};
  sockets[0].unanswered = 2;
  const SocketTotals totals = total(sockets);
  CHECK(totals.with_keepalive == 2);
  CHECK(totals.with_retransmit == 1);
  CHECK(totals.with_zero_window == 1);
  CHECK(totals.with_no_timer == 1);
  CHECK(totals.unanswered == 1);
  CHECK(totals.by_state[6] == 1);
}

TEST_CASE("of several listening sockets the fullest is told") {
  const auto queue =
      total(std::vector{listening(5, 100), listening(4, 5), listening(0, 0)}).accept_queue;
  REQUIRE(queue);
  CHECK(queue->waiting == 4);
  CHECK(queue->limit == 5);
  CHECK(total(std::vector{listening(5, 100)}).unread_bytes == 0);
}

TEST_CASE("a state that is no state is counted apart") {
  CHECK(total(std::vector{TcpSocket{.state = 200}}).by_state[0] == 1);
}

TEST_CASE("connections that found an accept queue full are counted by the kernel") {
  const std::string netstat =
      "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 25 26\n"
      "IpExt: InNoRoutes\nIpExt: 3\n";
  CHECK(parse_listen_overflows(netstat) == std::uint64_t{25});
  CHECK(parse_listen_overflows("IpExt: A\nIpExt: 3\n" + netstat) == std::uint64_t{25});
  for (const std::string text :
       {"", "TcpExt:", "TcpExt: ListenOverflows\n", "TcpExt: A\nTcpExt: 1\n",
        "TcpExt: A ListenOverflows\nTcpExt: 1\n", "TcpExt: ListenOverflows\nTcpExt: -1\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_listen_overflows(text));
  }
}
