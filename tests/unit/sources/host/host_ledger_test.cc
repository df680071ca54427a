#include "sources/host/host_ledger.h"

#include <vector>

#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

TcpSocket connection(std::uint64_t cookie, std::uint32_t retransmits,
                     std::optional<std::uint64_t> acknowledged = 1, std::uint32_t round_trip = 0) {
  TcpSocket socket{.cookie = cookie, .state = kTcpEstablished};
  socket.info = TcpInfo{.smoothed_round_trip_us = round_trip,
                        .total_retransmits = retransmits,
                        .acknowledged_bytes = acknowledged};
  return socket;
}

HostReading listed(std::vector<TcpSocket> sockets, bool complete = true) {
  HostReading reading;
  reading.sockets = ServerSockets{std::move(sockets), complete};
  return reading;
}

std::uint64_t retransmits(const HostLedger& ledger) { return ledger.counts().retransmits.value(); }

std::uint64_t round_trips(const HostLedger& ledger) { return ledger.counts().round_trips->count(); }

}  // namespace

TEST_CASE("what was sent again before the first look is not counted, what comes after it is") {
  HostLedger ledger;
  CHECK_FALSE(ledger.counts().retransmits);
  ledger.take(listed({connection(1, 50), connection(2, 0)}));
  CHECK(retransmits(ledger) == 0);
  ledger.take(listed({connection(1, 53), connection(2, 1)}));
  CHECK(retransmits(ledger) == 4);
}

TEST_CASE("a connection that began between two looks counts whole") {
  HostLedger ledger;
  ledger.take(listed({}));
  ledger.take(listed({connection(1, 5)}));
  CHECK(retransmits(ledger) == 5);
}

TEST_CASE("the sum does not fall when connections end") {
  HostLedger ledger;
  ledger.take(listed({}));
  ledger.take(listed({connection(1, 5)}));
  ledger.take(listed({}));
  CHECK(retransmits(ledger) == 5);
  ledger.take(listed({connection(2, 1)}));
  CHECK(retransmits(ledger) == 6);
}

TEST_CASE("a socket whose count began anew adds what it shows now") {
  HostLedger ledger;
  ledger.take(listed({connection(1, 9)}));
  ledger.take(listed({connection(1, 2)}));
  CHECK(retransmits(ledger) == 2);
}

TEST_CASE("a connection that an incomplete list left out is not taken for a new one") {
  HostLedger ledger;
  ledger.take(listed({connection(1, 100), connection(2, 200)}));
  ledger.take(listed({connection(1, 101)}, false));
  CHECK(retransmits(ledger) == 1);
  ledger.take(listed({connection(1, 101), connection(2, 203), connection(3, 70)}));
  // 3 may have been there all the time.
  CHECK(retransmits(ledger) == 4);
  ledger.take(listed({connection(3, 71), connection(4, 2)}));
  CHECK(retransmits(ledger) == 7);
}

TEST_CASE("a look without sockets leaves all as it was") {
  HostLedger ledger;
  ledger.take(listed({connection(1, 5)}));
  ledger.take(HostReading());
  ledger.take(listed({connection(1, 7)}));
  CHECK(retransmits(ledger) == 2);
}

TEST_CASE("round trips are observed of connections on which something was acknowledged") {
  HostLedger ledger;
  ledger.take(listed({connection(1, 0, 100, 1500)}));
  CHECK(round_trips(ledger) == 1);
  CHECK(ledger.counts().round_trips->sum == Approx(0.0015));
  ledger.take(listed({connection(1, 0, 100, 1500)}));
  CHECK(round_trips(ledger) == 1);
  ledger.take(listed({connection(1, 0, 101, 3000)}));
  CHECK(round_trips(ledger) == 2);
  // Not yet measured; a kernel that does not tell what was acknowledged.
  ledger.take(listed({connection(2, 0, 1, 0), connection(3, 0, {}, 10)}));
  ledger.take(listed({connection(3, 0, {}, 10)}));
  CHECK(round_trips(ledger) == 4);
}

TEST_CASE("a round trip is in the bucket of its bound and all above") {
  HostLedger ledger;
  ledger.take(listed({connection(1, 0, 1, 1000), connection(2, 0, 1, 4'000'000)}));
  for (const auto& bucket : ledger.counts().round_trips->buckets) {
    CAPTURE(bucket.upper_bound);
    const bool beyond_all = bucket.upper_bound > 4;
    CHECK(bucket.cumulative == (beyond_all ? 2U : bucket.upper_bound >= 0.001 ? 1U : 0U));
  }
}

TEST_CASE("kills of PostgreSQL in the log count once, and not those from before the first look") {
  HostLedger ledger;
  const auto log = [](std::vector<OomKill> kills, std::uint64_t next) {
    HostReading reading;
    reading.kernel_log = KernelLogLook{.kills = std::move(kills), .next_sequence = next};
    return reading;
  };
  const OomKill old = {.pid = 1, .task = "postgres", .sequence = 5};
  const OomKill other = {.pid = 2, .task = "java", .sequence = 11};
  const OomKill ours = {.pid = 3, .task = "postgres", .sequence = 12};
  ledger.take(log({old}, 10));
  CHECK(ledger.counts().postgres_kills == std::uint64_t{0});
  ledger.take(log({old, other, ours}, 13));
  ledger.take(log({old, other, ours}, 13));
  CHECK(ledger.counts().postgres_kills == std::uint64_t{1});
}
