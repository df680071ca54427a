// The silences that connections have survived lately, to be asked for the longest since a moment.
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

  // At that moment, not before the last one told, a connection answered after so long a silence.
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
