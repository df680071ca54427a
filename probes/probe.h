// What the probes of one target share: their pace, how they open sessions, where results go, and
// how they end. I/O thread only.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "postgres/dialer.h"
#include "probes/drops/clock.h"
#include "probes/drops/drop.h"
#include "probes/held_sessions.h"
#include "probes/recorder.h"

namespace pgconn::probes {

// How often a probe runs and how long one run may take.
struct Pace {
  bool on = true;
  std::chrono::milliseconds interval{15000};
  std::chrono::milliseconds timeout{5000};
};

// What a probe works with. Must outlive its coroutine.
struct ProbeContext {
  std::string target;
  postgres::Dialer& dialer;
  Recorder& recorder;
  HeldSessions& held;
  int long_queries = 0;  // held as well, but cannot be asked
  // A held connection was lost, and not by us. Called exactly once for each.
  std::function<void(Drop)> lost;
};

// When in its interval a probe runs: spread by the target's and the probe's name, so that targets
// do not fire together. Pure.
std::chrono::milliseconds splay(const std::string& target, ProbeKind probe,
                                std::chrono::milliseconds interval);

// The next time on the grid start + n × interval that is after `now`: missed runs are not made up
// for. Pure.
Clock::time_point next_run(Clock::time_point start, std::chrono::milliseconds interval,
                           Clock::time_point now);

}  // namespace pgconn::probes
