#include "postgres/backoff.h"

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using pgconn::postgres::Backoff;

TEST_CASE("a backoff that has seen no failure lets one try at once") {
  const Backoff backoff(1s, 8s);
  CHECK(backoff.may_try(Backoff::Clock::time_point(0s)));
}

TEST_CASE("a backoff doubles its wait up to the longest") {
  Backoff backoff(1s, 4s);
  const Backoff::Clock::time_point start(100s);
  const auto all = 0.999999999;  // the dice's top: the whole wait
  for (const auto wait : {1s, 2s, 4s, 4s}) {
    backoff.failed(start, all);
    CHECK_FALSE(backoff.may_try(start + wait - 10ms));
    CHECK(backoff.may_try(start + wait));
  }
}

TEST_CASE("jitter takes away at most half of the wait") {
  Backoff backoff(2s, 8s);
  const Backoff::Clock::time_point start(100s);
  backoff.failed(start, 0);
  CHECK_FALSE(backoff.may_try(start + 999ms));
  CHECK(backoff.may_try(start + 1s));
}

TEST_CASE("success makes a backoff start over") {
  Backoff backoff(1s, 60s);
  const Backoff::Clock::time_point start(100s);
  for (int i = 0; i < 5; ++i) backoff.failed(start, 0.5);
  backoff.succeeded();
  CHECK(backoff.may_try(start));
  backoff.failed(start, 0);
  CHECK(backoff.may_try(start + 1s));
}
