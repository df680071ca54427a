// A clock that stands still until a test moves it on, and then jumps from one wait to the next: an
// hour of probing takes milliseconds, and the same each time.
#pragma once

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <list>

#include "async/time_source.h"

namespace pgconn::test {

using async::Clock;

class FakeTime final : public async::TimeSource {
 public:
  explicit FakeTime(asio::io_context& io) : TimeSource(io.get_executor()), io_(io) {}

  Clock::time_point now() const override { return now_; }
  std::chrono::system_clock::time_point date() const override {
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(now_.time_since_epoch()));
  }

  // Runs all that is due within that time, in order. Afterwards it is that much later.
  void pass(Clock::duration duration) {
    const Clock::time_point end = now_ + duration;
    while (step(end)) {
    }
    now_ = end;
  }

  // Runs until the condition holds; false if it does not within that time.
  template <typename Condition>
  bool pass_until(Condition holds, Clock::duration longest) {
    const Clock::time_point end = now_ + longest;
    run_ready();
    while (!holds()) {
      if (!step(end)) return false;
    }
    return true;
  }

 private:
  struct Wait {
    Clock::time_point until;
    asio::steady_timer* timer;
    bool over = false;
  };

  asio::awaitable<asio::error_code> wait(asio::steady_timer& timer,
                                         Clock::time_point when) override {
    timer.expires_at(Clock::time_point::max());
    const auto mine = waits_.insert(waits_.end(), Wait{when, &timer});
    asio::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    const bool over = mine->over;
    waits_.erase(mine);
    co_return over ? asio::error_code() : error;
  }

  void run_ready() {
    io_.restart();
    io_.poll();
  }

  // What is ready, then the next wait that ends by then; false if there is none.
  bool step(Clock::time_point end) {
    run_ready();
    const auto earlier = [](const Wait& a, const Wait& b) {
      return (a.over ? Clock::time_point::max() : a.until) <
             (b.over ? Clock::time_point::max() : b.until);
    };
    const auto next = std::min_element(waits_.begin(), waits_.end(), earlier);
    if (next == waits_.end() || next->over || next->until > end) return false;
    now_ = std::max(now_, next->until);
    next->over = true;
    next->timer->cancel();
    run_ready();
    return true;
  }

  asio::io_context& io_;
  Clock::time_point now_ = Clock::time_point(std::chrono::hours(1000));
  std::list<Wait> waits_;
};

}  // namespace pgconn::test
