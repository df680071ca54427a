// An event that coroutines wait for and that can happen any number of times. One thread only: that
// of the time source's executor.
#pragma once

#include <asio/awaitable.hpp>
#include <list>

#include "async/time_source.h"

namespace pgconn::async {

class Event {
 public:
  // `time` must outlive the event, and the event every coroutine that waits for it.
  explicit Event(TimeSource& time) : time_(time) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Resumes every coroutine that waits now. One that begins to wait later waits for the next time,
  // so check the condition before each wait.
  void notify();

  // Waits for the next notify(). Throws std::system_error if the coroutine is cancelled.
  asio::awaitable<void> wait();
  // The same, until `deadline`: false if that came first.
  asio::awaitable<bool> wait_until(Clock::time_point deadline);

 private:
  struct Waiter {
    asio::steady_timer timer;
    bool notified = false;
  };

  TimeSource& time_;
  std::list<Waiter> waiters_;
};

}  // namespace pgconn::async
