// What earlier incidents show of the network path, as evidence for the next one. No I/O, no clock;
// one thread only.
#pragma once

#include <deque>

#include "probes/drops/attribution.h"
#include "probes/drops/held_connections.h"

namespace pgconn::probes {

class PathMemory {
 public:
  // An incident has ended with this evidence.
  void remember(const Evidence& evidence);
  // Adds what is still worth knowing at `now`, when an incident began.
  void add_to(Evidence& evidence, Clock::time_point now, const HeldConnections& held) const;

 private:
  struct Silence {
    Clock::time_point at;
    Clock::duration lasted;
  };
  static void keep(std::deque<Silence>& samples, Silence latest);

  std::deque<Silence> unanswered_;  // as returned by unanswered_silences()
  std::deque<Silence> doubtful_;    // as returned by doubtful_silences()
};

}  // namespace pgconn::probes
