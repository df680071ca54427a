#include "sources/host/own_sockets.h"

#include <netinet/in.h>
#include <unistd.h>

#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

TcpAddress ipv4(int last) {
  TcpAddress address{.family = AF_INET};
  if (last != 0) address.bytes = {std::byte{127}, std::byte{0}, std::byte{0}, std::byte(last)};
  return address;
}

TcpSocket at(TcpAddress address, int state, std::uint32_t inode = 0) {
  TcpSocket socket{.state = state};
  socket.local = address;
  socket.inode = inode;
  return socket;
}

constexpr std::uint32_t kOurs = 11, kOthers = 22;

std::size_t kept(std::vector<TcpSocket> sockets, const std::vector<std::uint32_t>& inodes) {
  keep_own(sockets, inodes);
  return sockets.size();
}

}  // namespace

TEST_CASE("of two servers on one port each has the sockets at its own address") {
  const std::vector<TcpSocket> sockets = {
      at(ipv4(1), kTcpListen, kOurs), at(ipv4(2), kTcpListen, kOthers),
      at(ipv4(1), kTcpEstablished),   at(ipv4(2), kTcpEstablished),
      at(ipv4(2), kTcpEstablished),
  };
  CHECK(kept(sockets, {kOurs, 5}) == 2);
  CHECK(kept(sockets, {kOthers}) == 3);
  CHECK(kept(sockets, {kOurs, kOthers}) == 5);
}

TEST_CASE("a server that listens at any address has all sockets of that family") {
  const std::vector<TcpSocket> sockets = {
      at(ipv4(0), kTcpListen, kOurs),
      at(ipv4(1), kTcpEstablished),
      at(ipv4(7), kTcpEstablished),
      at({.family = AF_INET6}, kTcpEstablished),
  };
  CHECK(kept(sockets, {kOurs}) == 3);
}

TEST_CASE("where the server's own listening sockets are not among them, nothing is left out") {
  const std::vector<TcpSocket> sockets = {at(ipv4(1), kTcpListen, kOthers),
                                          at(ipv4(1), kTcpEstablished)};
  CHECK(kept(sockets, {kOurs}) == 2);
  CHECK(kept(sockets, {}) == 2);
}

TEST_CASE("the sockets of a process are found among its files") {
  const int mine = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(mine >= 0);
  const auto later = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const auto with = socket_inodes("/proc", ::getpid(), later);
  ::close(mine);
  const auto without = socket_inodes("/proc", ::getpid(), later);
  REQUIRE(with);
  REQUIRE(without);
  CHECK(with->size() == without->size() + 1);
  CHECK_FALSE(socket_inodes("/nowhere", ::getpid(), later));
  CHECK_FALSE(socket_inodes("/proc", ::getpid(), later - std::chrono::seconds(10)));
}
