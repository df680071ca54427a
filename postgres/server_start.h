// What the start times of a server's processes show. Pure; any thread.
#pragma once

namespace pgconn::postgres {

// When the postmaster last restarted its children without restarting itself, as it does when a
// backend crashes: the checkpointer's start, if it is younger than the postmaster by more than a
// start takes; else 0. Unix times. Before 15 the checkpointer of a primary started only after
// recovery: a start with a long recovery, after a crash of the host for example, looks like a crash
// restart.
constexpr double crash_restart_time(double postmaster_start, double checkpointer_start) {
  constexpr double kStarting = 2;  // seconds
  return checkpointer_start > postmaster_start + kStarting ? checkpointer_start : 0;
}

}  // namespace pgconn::postgres
