// A token bucket: how many may come at once, and how often one more. Locks; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

namespace pgconn::async {

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  // Full at the beginning: `burst` at once, then one each `interval`; 0 limits nothing.
  RateLimiter(std::chrono::nanoseconds interval, double burst, Clock::time_point now)
      : interval_(interval), burst_(burst), tokens_(burst), filled_(now) {}

  // Takes a token; false if there is none.
  bool take(Clock::time_point now) {
    if (interval_ <= std::chrono::nanoseconds::zero()) return true;
    const std::lock_guard lock(mutex_);
    if (now > filled_) {
      const std::chrono::duration<double> since = now - filled_;
      const std::chrono::duration<double> interval = interval_;
      tokens_ = std::min(tokens_ + since / interval, burst_);
      filled_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const std::chrono::nanoseconds interval_;
  const double burst_;
  std::mutex mutex_;
  double tokens_;             // guarded by mutex_
  Clock::time_point filled_;  // guarded by mutex_; when tokens_ was right
};

}  // namespace pgconn::async
