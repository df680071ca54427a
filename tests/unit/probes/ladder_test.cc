#include "probes/ladder.h"

#include <set>

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using pgconn::probes::IdleLadder;
using Silence = IdleLadder::Silence;

namespace {

IdleLadder ladder() { return IdleLadder({30s, 60s, 120s, 350s, 600s}); }

// Runs one canary on a path that forgets flows after `limit`; returns the silences it tried.
std::vector<Silence> climb(IdleLadder& subject, Silence limit, int tries) {
  std::vector<Silence> tried;
  for (int i = 0; i < tries; ++i) {
    tried.push_back(subject.next({}));
    tried.back() < limit ? subject.survived(tried.back()) : subject.dropped(tried.back());
  }
  return tried;
}

}  // namespace

TEST_CASE("a ladder is climbed rung by rung while nothing drops") {
  IdleLadder subject = ladder();
  CHECK(climb(subject, 3600s, 6) == std::vector<Silence>{30s, 60s, 120s, 350s, 600s, 600s});
  CHECK(subject.longest_survived() == Silence(600s));
  CHECK_FALSE(subject.shortest_dropped());
}

TEST_CASE("two canaries climb different rungs at a time") {
  IdleLadder subject = ladder();
  const std::vector<Silence> under_way = {30s};
  CHECK(subject.next(under_way) == Silence(60s));
}

TEST_CASE("after a drop the bracket is halved until it is narrow") {
  IdleLadder subject = ladder();
  const auto tried = climb(subject, 300s, 12);
  CHECK(tried[3] == Silence(350s));
  CHECK(tried[4] == Silence(235s));
  REQUIRE(subject.longest_survived());
  REQUIRE(subject.shortest_dropped());
  CHECK(*subject.longest_survived() < Silence(300s));
  CHECK(*subject.shortest_dropped() >= Silence(300s));
  CHECK(*subject.shortest_dropped() - *subject.longest_survived() <=
        *subject.shortest_dropped() / 20);
}

TEST_CASE("a narrow bracket is watched at both ends") {
  IdleLadder subject = ladder();
  climb(subject, 300s, 12);
  const std::vector<Silence> at_lower = {*subject.longest_survived()};
  const std::vector<Silence> at_upper = {*subject.shortest_dropped()};
  for (int i = 0; i < 3; ++i) {
    CHECK(subject.next(at_lower) == at_upper.front());
    CHECK(subject.next(at_upper) == at_lower.front());
  }
}

TEST_CASE("one canary watches both ends of a narrow bracket by turns") {
  IdleLadder subject = ladder();
  climb(subject, 300s, 12);
  const std::set<Silence> ends = {*subject.longest_survived(), *subject.shortest_dropped()};
  for (int i = 0; i < 3; ++i) {
    // Whether or not the loss at the upper end could be blamed on the path.
    CHECK(std::set<Silence>{subject.next({}), subject.next({})} == ends);
  }
}

TEST_CASE("one canary notices that the limit rises") {
  IdleLadder subject = ladder();
  climb(subject, 300s, 12);
  climb(subject, 3600s, 12);
  CHECK(subject.longest_survived() == Silence(600s));
}

TEST_CASE("no more than one canary watches the upper end, where connections are lost") {
  IdleLadder subject = ladder();
  climb(subject, 300s, 12);
  const std::vector<Silence> under_way = {*subject.longest_survived(), *subject.shortest_dropped()};
  CHECK(subject.next(under_way) == *subject.longest_survived());
}

TEST_CASE("a limit that rises is climbed after") {
  IdleLadder subject = ladder();
  climb(subject, 100s, 12);
  subject.survived(*subject.shortest_dropped());
  CHECK_FALSE(subject.shortest_dropped());
  CHECK(subject.next({}) > *subject.longest_survived());
}

TEST_CASE("a limit that falls below what once survived opens the bracket downwards") {
  IdleLadder subject = ladder();
  climb(subject, 3600s, 5);
  subject.dropped(60s);
  CHECK(subject.shortest_dropped() == Silence(60s));
  CHECK_FALSE(subject.longest_survived());
  CHECK(subject.next({}) == Silence(30s));
}

TEST_CASE("a halved idle time is counted under the configured rung above it") {
  const IdleLadder subject = ladder();
  CHECK(subject.rung_of(30s) == Silence(30s));
  CHECK(subject.rung_of(235s) == Silence(350s));
  CHECK(subject.rung_of(9999s) == Silence(600s));
}

TEST_CASE("a ladder without rungs is refused") {
  CHECK_THROWS_AS(IdleLadder({}), std::invalid_argument);
}
