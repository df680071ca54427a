#include "sources/host/sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

using Bytes = std::vector<std::byte>;
constexpr std::uint16_t kPort = 5432;
constexpr std::uint32_t kSequence = 7;
constexpr std::size_t kMany = 1000;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto* start = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), start, start + sizeof value);
}

void pad(Bytes& bytes) { bytes.resize((bytes.size() + 3) & ~std::size_t{3}); }

Bytes attribute(std::uint16_t type, const Bytes& payload) {
  Bytes bytes;
  append(bytes, rtattr{static_cast<std::uint16_t>(sizeof(rtattr) + payload.size()), type});
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  pad(bytes);
  return bytes;
}

Bytes info(std::size_t size = sizeof(tcp_info)) {
  tcp_info raw{};
  raw.tcpi_rtt = 1500;
  raw.tcpi_total_retrans = 3;
  raw.tcpi_bytes_acked = 4000;
  raw.tcpi_notsent_bytes = 50;
  Bytes bytes;
  append(bytes, raw);
  bytes.resize(size);
  return attribute(INET_DIAG_INFO, bytes);
}

inet_diag_msg connection(std::uint16_t port = kPort) {
  inet_diag_msg message{};
  message.idiag_family = AF_INET;
  message.id.idiag_src[0] = htonl(0x7f000002);
  message.id.idiag_src[1] = 7;  // what the kernel leaves there means nothing
  message.idiag_state = kTcpEstablished;
  message.idiag_timer = 2;
  message.idiag_retrans = 1;
  message.id.idiag_sport = htons(port);
  message.id.idiag_dport = htons(40000);
  message.id.idiag_cookie[0] = 1;
  message.id.idiag_cookie[1] = 2;
  message.idiag_rqueue = 10;
  message.idiag_wqueue = 250;
  message.idiag_uid = 26;
  message.idiag_inode = 99;
  return message;
}

Bytes message(std::uint16_t type, const Bytes& payload, std::uint32_t sequence = kSequence) {
  Bytes bytes;
  append(bytes, nlmsghdr{.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()),
                         .nlmsg_type = type,
                         .nlmsg_flags = NLM_F_MULTI,
                         .nlmsg_seq = sequence,
                         .nlmsg_pid = 0});
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  pad(bytes);
  return bytes;
}

Bytes socket_message(const Bytes& attributes = info(), std::uint16_t port = kPort,
                     std::uint32_t sequence = kSequence) {
  Bytes payload;
  append(payload, connection(port));
  payload.insert(payload.end(), attributes.begin(), attributes.end());
  return message(SOCK_DIAG_BY_FAMILY, payload, sequence);
}

Bytes ending(std::uint16_t type, int error) {
  Bytes payload;
  append(payload, error);
  return message(type, payload);
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Parsed {
  DumpPart part;
  std::vector<TcpSocket> sockets;
};

Parsed parse(const Bytes& bytes, std::size_t limit = kMany) {
  Parsed parsed;
  // A copy of exactly that size: a sanitizer sees every byte read behind it.
  const Bytes exact(bytes.begin(), bytes.end());
  parsed.part = parse_sock_diag(exact, kSequence, kPort, limit, parsed.sockets);
  return parsed;
}

}  // namespace

TEST_CASE("a request asks for the sockets of one port, with their TCP_INFO") {
  const Bytes bytes = sock_diag_request(AF_INET6, kPort, kSequence);
  nlmsghdr header;
  inet_diag_req_v2 request;
  REQUIRE(bytes.size() == sizeof header + sizeof request);
  std::memcpy(&header, bytes.data(), sizeof header);
  std::memcpy(&request, bytes.data() + sizeof header, sizeof request);
  CHECK(header.nlmsg_len == bytes.size());
  CHECK(header.nlmsg_seq == kSequence);
  CHECK((header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP);
  CHECK(request.sdiag_family == AF_INET6);
  CHECK(ntohs(request.id.idiag_sport) == kPort);
  CHECK((request.idiag_ext & (1 << (INET_DIAG_INFO - 1))) != 0);
  CHECK((request.idiag_states & (1U << kTcpListen)) != 0);
}

TEST_CASE("a socket is read with what TCP_INFO knows of it") {
  const Parsed parsed = parse(socket_message());
  REQUIRE(parsed.sockets.size() == 1);
  const TcpSocket& socket = parsed.sockets.front();
  CHECK(socket.cookie == 0x2'0000'0001);
  CHECK(socket.state == kTcpEstablished);
  CHECK(socket.timer == TcpTimer::kKeepalive);
  CHECK(socket.unanswered == 1);
  CHECK(socket.remote_port == 40000);
  CHECK(socket.receive_queue == 10);
  CHECK(socket.send_queue == 250);
  CHECK(socket.uid == 26);
  CHECK(socket.inode == 99);
  CHECK(socket.local.family == AF_INET);
  CHECK(socket.local.bytes[0] == std::byte{127});
  CHECK(socket.local.bytes[3] == std::byte{2});
  CHECK(socket.local.bytes[4] == std::byte{0});
  REQUIRE(socket.info);
  CHECK(socket.info->smoothed_round_trip_us == 1500);
  CHECK(socket.info->total_retransmits == 3);
  CHECK(socket.info->acknowledged_bytes == std::uint64_t{4000});
  CHECK(socket.info->unsent_bytes == 50U);
  CHECK(parsed.part.malformed == 0);
  CHECK_FALSE(parsed.part.done);
}

TEST_CASE(
    "what an older kernel's TCP_INFO lacks is absent, and what a newer one adds passed over") {
  const auto of_size = [](std::size_t size) {
    const Parsed parsed = parse(socket_message(info(size)));
    CHECK(parsed.part.malformed == 0);
    REQUIRE(parsed.sockets.size() == 1);
    return parsed.sockets.front().info;
  };
  const auto old = of_size(offsetof(tcp_info, tcpi_total_retrans) + 4);
  REQUIRE(old);
  CHECK(old->total_retransmits == 3);
  CHECK_FALSE(old->acknowledged_bytes);
  CHECK_FALSE(old->unsent_bytes);
  // In the middle of a field.
  CHECK_FALSE(of_size(offsetof(tcp_info, tcpi_notsent_bytes) + 2)->unsent_bytes);
  CHECK(of_size(sizeof(tcp_info) + 200)->unsent_bytes == 50U);
}

TEST_CASE("other ports' sockets and answers to other requests are passed over") {
  CHECK(parse(socket_message(info(), 5433)).sockets.empty());
  CHECK(parse(socket_message(info(), kPort, kSequence + 1)).sockets.empty());
  const Parsed late = parse(message(NLMSG_DONE, {}, kSequence - 1) + socket_message());
  CHECK_FALSE(late.part.done);
  CHECK(late.sockets.size() == 1);
}

TEST_CASE("the end of the list, and the kernel's refusal, end it") {
  const Parsed done = parse(socket_message() + ending(NLMSG_DONE, 0) + socket_message());
  CHECK(done.part.done);
  CHECK(done.part.error == 0);
  CHECK(done.sockets.size() == 1);
  const Parsed refused = parse(ending(NLMSG_ERROR, -ENOENT));
  CHECK(refused.part.done);
  CHECK(refused.part.error == ENOENT);
  CHECK(parse(ending(NLMSG_DONE, -EBUSY)).part.error == EBUSY);
  CHECK(parse(ending(NLMSG_ERROR, std::numeric_limits<int>::min())).part.error > 0);
  CHECK(parse(message(NLMSG_ERROR, {})).part.malformed == 1);
}

TEST_CASE("no more sockets are kept than the limit") {
  Bytes many;
  for (int i = 0; i < 20; ++i) many = many + socket_message();
  CHECK(parse(many, 5).sockets.size() == 5);
}

TEST_CASE("a socket without TCP_INFO, as in TIME_WAIT, is one all the same") {
  const Parsed parsed = parse(socket_message({}));
  REQUIRE(parsed.sockets.size() == 1);
  CHECK_FALSE(parsed.sockets.front().info);
  CHECK(parsed.part.malformed == 0);
}

TEST_CASE("lengths that lie are counted, and nothing is read behind them") {
  Bytes longer = socket_message();
  const std::uint32_t lie = 100'000;
  std::memcpy(longer.data(), &lie, sizeof lie);
  CHECK(parse(longer).part.malformed == 1);
  CHECK(parse(longer).sockets.empty());

  for (const std::uint32_t length : {0U, 1U, 15U}) {
    Bytes shorter = socket_message();
    std::memcpy(shorter.data(), &length, sizeof length);
    CHECK(parse(shorter).part.malformed == 1);
  }

  const std::size_t attribute_at = sizeof(nlmsghdr) + sizeof(inet_diag_msg);
  for (const int lie_of : {0, 1, 3, 5, 0x7fff, 0xffff}) {
    Bytes bytes = socket_message();
    const auto length = static_cast<std::uint16_t>(lie_of);
    std::memcpy(bytes.data() + attribute_at, &length, sizeof length);
    CAPTURE(lie_of);
    CHECK(parse(bytes).part.malformed >= 1);
    CHECK(parse(bytes).sockets.size() == 1);
    CHECK_FALSE(parse(bytes).sockets.front().info);
  }
  // A message that is too short for a socket.
  CHECK(parse(message(SOCK_DIAG_BY_FAMILY, Bytes(10))).part.malformed == 1);
}

TEST_CASE("an answer that ends anywhere is read up to there") {
  const Bytes whole = socket_message() + socket_message() + ending(NLMSG_DONE, 0);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Parsed parsed =
        parse(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    CAPTURE(size);
    CHECK_FALSE(parsed.part.done);
    CHECK(parsed.sockets.size() <= 2);
  }
  CHECK(parse(whole).part.done);
}

TEST_CASE("random bytes in an answer do no harm") {
  std::mt19937 random(20240501);
  const Bytes whole = socket_message() + socket_message() + ending(NLMSG_DONE, 0);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = whole;
    for (int change = 0; change < 4; ++change) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 256);
    }
    bytes.resize(random() % (bytes.size() + 1));
    CHECK(parse(bytes).sockets.size() <= whole.size() / sizeof(nlmsghdr));
  }
}

TEST_CASE("every state has a name of its own, and a number that is none has `other`") {
  std::set<std::string_view> names;
  for (int state = 1; state <= kTcpStates; ++state) names.insert(tcp_state_name(state));
  CHECK(names.size() == kTcpStates);
  CHECK(tcp_state_name(kTcpEstablished) == "established");
  CHECK(tcp_state_name(kTcpListen) == "listen");
  for (const int state : {0, -1, 12, 255}) CHECK(tcp_state_name(state) == "other");
}
