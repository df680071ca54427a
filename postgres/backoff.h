// When to try a lost server again: exponentially later with jitter. A value; the caller brings the
// clock and the dice, so it is tested without either. Any thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace pgconn::postgres {

class Backoff {
 public:
  using Clock = std::chrono::steady_clock;

  // The first wait and the longest one.
  constexpr Backoff(Clock::duration first, Clock::duration longest)
      : first_(first), longest_(longest) {}

  // `dice` in [0, 1): the wait is between half and all of what is due.
  void failed(Clock::time_point now, double dice) {
    wait_ = wait_ == Clock::duration::zero() ? first_ : std::min(wait_ * 2, longest_);
    const std::chrono::duration<double> due = wait_;
    not_before_ = now + std::chrono::duration_cast<Clock::duration>(due * (0.5 + dice / 2));
  }
  void succeeded() {
    wait_ = Clock::duration::zero();
    not_before_ = Clock::time_point::min();
  }
  bool may_try(Clock::time_point now) const { return now >= not_before_; }
  Clock::time_point next_try() const { return not_before_; }

 private:
  Clock::duration first_;
  Clock::duration longest_;
  Clock::duration wait_ = Clock::duration::zero();
  Clock::time_point not_before_ = Clock::time_point::min();
};

// In [0, 1); of each thread its own.
double dice();
// Makes them fall in the same order each time. For tests.
void seed_dice(unsigned seed);

}  // namespace pgconn::postgres
