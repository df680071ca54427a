// What the probes of one target share: how they open sessions, their clock, and where results go.
// I/O thread only.
#pragma once

#include <functional>
#include <string>

#include "async/time_source.h"
#include "postgres/connector.h"
#include "probes/drops/drop.h"
#include "probes/held_sessions.h"
#include "probes/recorder.h"

namespace pgconn::probes {

// What a probe works with. Must outlive its coroutine.
struct ProbeContext {
  std::string target;
  postgres::Connector& connector;
  async::TimeSource& time;
  Recorder& recorder;
  HeldSessions& held;
  int long_queries = 0;  // held as well, but cannot be asked
  // A held connection was lost, and not by us. Called exactly once for each.
  std::function<void(Drop)> lost;
};

}  // namespace pgconn::probes
