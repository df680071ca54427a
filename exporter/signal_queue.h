// The signals an operator sends, for a thread that may wait. They arrive on a thread of their own,
// so that a hanging I/O thread does not delay them. A second SIGTERM or SIGINT ends the process at
// once: the operator does not want to wait. After the first the process has kLongestStop for a
// clean end; after that it is ended with status 1 and a last line in the log, whatever hangs.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace pgconn::exporter {

// From the first SIGTERM or SIGINT to the end of the process, at the latest.
inline constexpr std::chrono::milliseconds kLongestStop(4500);

class SignalQueue {
 public:
  // From now on SIGTERM, SIGINT and SIGHUP are queued.
  SignalQueue();
  // Signals have their default effect again, and the forced end is cancelled.
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  // Waits for the next signal. For one thread.
  int wait();

 private:
  void listen();
  void arm();

  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer last_resort_;
  bool ending_ = false;  // the queue's own thread only
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<int> queued_;
  std::thread thread_;
};

}  // namespace pgconn::exporter
