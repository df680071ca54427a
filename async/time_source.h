// The time, and waiting by it, as a parameter: code that takes a TimeSource is tested with a clock
// that the test advances. One thread only: that of the executor.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error_code.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

namespace pgconn::async {

using Clock = std::chrono::steady_clock;

class TimeSource {
 public:
  explicit TimeSource(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  virtual ~TimeSource() = default;
  TimeSource(const TimeSource&) = delete;
  TimeSource& operator=(const TimeSource&) = delete;

  virtual Clock::time_point now() const = 0;
  virtual std::chrono::system_clock::time_point date() const = 0;

  // Waits. Ends early only if the coroutine is cancelled, with std::system_error.
  asio::awaitable<void> sleep_until(Clock::time_point when);

  const asio::any_io_executor& executor() const { return executor_; }

 private:
  friend class Event;
  // Waits until `when`, or until the timer is cancelled: then the error says so.
  virtual asio::awaitable<asio::error_code> wait(asio::steady_timer& timer,
                                                 Clock::time_point when) = 0;

  asio::any_io_executor executor_;
};

// The machine's own clocks.
class SystemTime final : public TimeSource {
 public:
  using TimeSource::TimeSource;
  Clock::time_point now() const override { return Clock::now(); }
  std::chrono::system_clock::time_point date() const override {
    return std::chrono::system_clock::now();
  }

 private:
  asio::awaitable<asio::error_code> wait(asio::steady_timer& timer,
                                         Clock::time_point when) override;
};

}  // namespace pgconn::async
