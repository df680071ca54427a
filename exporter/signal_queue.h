// The signals an operator sends, for a thread that may wait: they arrive on the I/O thread, which
// may not. A second SIGTERM or SIGINT ends the process at once: the operator does not want to wait.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace pgconn::exporter {

class SignalQueue {
 public:
  // From now on SIGTERM, SIGINT and SIGHUP are queued. `io` must outlive the queue.
  explicit SignalQueue(asio::io_context& io);

  // The next one. For one thread, and not the I/O thread.
  int wait();

  // On the I/O thread, so that its loop can end. Signals have their default effect only when the
  // queue is destroyed.
  void stop() { signals_.cancel(); }

 private:
  void listen();

  asio::signal_set signals_;
  bool ending_ = false;  // I/O thread only
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<int> queued_;
};

}  // namespace pgconn::exporter
