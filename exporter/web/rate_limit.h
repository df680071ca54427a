// A token bucket: how many requests may come at once, and how often one more. Locks; any
// thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

#include "config/web_config.h"

namespace pgconn::exporter {

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  // Full at the beginning. An interval of 0 limits nothing.
  RateLimiter(config::RateLimit limit, Clock::time_point now)
      : limit_(limit), tokens_(limit.burst), filled_(now) {}

  // Takes a token; false if there is none.
  bool take(Clock::time_point now) {
    if (limit_.interval <= std::chrono::nanoseconds::zero()) return true;
    const std::lock_guard lock(mutex_);
    if (now > filled_) {
      const std::chrono::duration<double> since = now - filled_;
      const std::chrono::duration<double> interval = limit_.interval;
      tokens_ = std::min(tokens_ + since / interval, static_cast<double>(limit_.burst));
      filled_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const config::RateLimit limit_;
  std::mutex mutex_;
  double tokens_;             // guarded by mutex_
  Clock::time_point filled_;  // guarded by mutex_; when tokens_ was right
};

}  // namespace pgconn::exporter
