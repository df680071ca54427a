// What start times of a server's processes tell. Pure; any thread.
#pragma once

namespace pgconn::postgres {

// When the postmaster last started its children anew, itself staying, as it does when a backend
// crashed: the checkpointer's start, if it is younger than the postmaster by more than starting
// takes; else 0. Unix times. Before 15 the checkpointer of a primary started only after recovery: a
// start that had long to recover, from a crash of the host for example, reads as a crash restart.
constexpr double crash_restart_time(double postmaster_start, double checkpointer_start) {
  constexpr double kStarting = 2;  // seconds
  return checkpointer_start > postmaster_start + kStarting ? checkpointer_start : 0;
}

}  // namespace pgconn::postgres
