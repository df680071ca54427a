// The silences that connections have recently survived; finds the longest since a given moment.
// Bookkeeping without I/O or clock. I/O thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace pgconn::probes {

class SurvivedSilences {
 public:
  using Clock = std::chrono::steady_clock;

  // A connection answered after that silence at `at`, which must not be before that of the last
  // call.
  void add(Clock::time_point at, Clock::duration lasted);

  std::optional<Clock::duration> longest_since(Clock::time_point moment) const;

 private:
  static constexpr std::size_t kKept = 64;
  struct Silence {
    Clock::time_point at;
    Clock::duration lasted;
  };
  std::deque<Silence> kept_;  // each longer than all after it
};

}  // namespace pgconn::probes
