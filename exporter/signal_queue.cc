#include "exporter/signal_queue.h"

#include <pthread.h>

#include <csignal>
#include <cstdlib>

#include "exporter/log/log.h"

namespace pgconn::exporter {

SignalQueue::SignalQueue() : signals_(io_, SIGTERM, SIGINT, SIGHUP), last_resort_(io_) {
  listen();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "signals");
    io_.run();
  });
}

SignalQueue::~SignalQueue() {
  io_.stop();
  thread_.join();
}

// Nothing here may wait for another thread: that one may be hanging.
void SignalQueue::arm() {
  last_resort_.expires_after(kLongestStop);
  last_resort_.async_wait([](asio::error_code error) {
    if (error) return;
    log::write_if_room(log::Level::kError,
                       "stopped by force: a thread hangs, sessions were not closed",
                       {{"after_seconds", "4.5"}});
    std::_Exit(1);
  });
}

void SignalQueue::listen() {
  signals_.async_wait([this](asio::error_code error, int number) {
    if (error) return;
    if (number != SIGHUP) {
      if (ending_) std::_Exit(1);
      ending_ = true;
      arm();
    }
    {
      const std::lock_guard lock(mutex_);
      queued_.push_back(number);
    }
    arrived_.notify_one();
    listen();
  });
}

int SignalQueue::wait() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return !queued_.empty(); });
  const int number = queued_.front();
  queued_.pop_front();
  return number;
}

}  // namespace pgconn::exporter
