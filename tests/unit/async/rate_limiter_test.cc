#include "async/rate_limiter.h"

#include "tests/support/catch.h"

namespace pgconn::async {
namespace {

using namespace std::chrono_literals;

int taken(RateLimiter& limiter, RateLimiter::Clock::time_point now, int attempts) {
  int count = 0;
  for (int i = 0; i < attempts; ++i) count += limiter.take(now) ? 1 : 0;
  return count;
}

TEST_CASE("a burst is let in at once, and then one request for each interval") {
  const RateLimiter::Clock::time_point begin{};
  RateLimiter limiter(100ms, 3, begin);
  CHECK(taken(limiter, begin, 10) == 3);
  CHECK(taken(limiter, begin + 99ms, 1) == 0);
  CHECK(taken(limiter, begin + 100ms, 10) == 1);
  CHECK(taken(limiter, begin + 350ms, 10) == 2);
  CHECK(taken(limiter, begin + 401ms, 10) == 1);
}

TEST_CASE("a pause saves up no more than a burst") {
  const RateLimiter::Clock::time_point begin{};
  RateLimiter limiter(100ms, 3, begin);
  CHECK(taken(limiter, begin + 24h, 10) == 3);
}

TEST_CASE("threads that read the clock in another order than they come take nothing away") {
  const RateLimiter::Clock::time_point begin{};
  RateLimiter limiter(100ms, 1, begin);
  CHECK(limiter.take(begin + 1s));
  CHECK_FALSE(limiter.take(begin));
  CHECK(limiter.take(begin + 1100ms));
}

TEST_CASE("an interval of 0 limits nothing") {
  RateLimiter limiter({}, {}, {});
  CHECK(taken(limiter, {}, 1000) == 1000);
}

}  // namespace
}  // namespace pgconn::async
