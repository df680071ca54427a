#include "exporter/signal_queue.h"

#include <csignal>
#include <cstdlib>

namespace pgconn::exporter {

SignalQueue::SignalQueue(asio::io_context& io) : signals_(io, SIGTERM, SIGINT, SIGHUP) { listen(); }

void SignalQueue::listen() {
  signals_.async_wait([this](asio::error_code error, int number) {
    if (error) return;
    if (number != SIGHUP) {
      if (ending_) std::_Exit(1);
      ending_ = true;
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
