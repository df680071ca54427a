// Lines on their way to a reader that may stop reading: a bounded queue and a thread that writes.
// Lines that do not fit are dropped, counted, and reported when the reader is back. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pgconn::exporter::log {

class LogQueue {
 public:
  // `write` may block for any time; it runs on the queue's thread, which ends with the process.
  // `tell` makes the line that says how many were dropped. `lines` and `bytes` limit what waits.
  using Write = std::function<void(const std::string& line)>;
  using Tell = std::function<std::string(std::uint64_t dropped)>;
  LogQueue(Write write, Tell tell, std::size_t lines = 1000, std::size_t bytes = 1 << 20);

  void push(std::string line);

  // Since the start.
  std::uint64_t dropped() const;

  // Waits until everything pushed is written; false if that takes longer than `patience`.
  bool drain(std::chrono::milliseconds patience);

 private:
  struct State;
  static void run(State& state);

  std::shared_ptr<State> state_;  // outlives the queue for a thread that hangs in `write`
};

}  // namespace pgconn::exporter::log
