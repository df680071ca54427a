// When probes run: each on a grid of its own interval, one attempt after another, each recorded.
// What an attempt does is up to the probe. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "probes/probe.h"

namespace pgconn::probes {

// How often a probe runs and how long one run may take.
struct Pace {
  bool on = true;
  std::chrono::milliseconds interval{15000};
  std::chrono::milliseconds timeout{5000};
};

// One run of a probe: the phases that it went through, or a PgError that says how it failed.
using Attempt = std::function<asio::awaitable<std::vector<PhaseTime>>(Clock::time_point deadline)>;
// Waits until a run is due, or until there is reason to run sooner.
using Wait = std::function<asio::awaitable<void>(Clock::time_point due)>;

// One attempt, recorded. Throws PgError only when it is stopped.
asio::awaitable<void> run_once(ProbeContext& context, ProbeKind probe, Attempt attempt,
                               Clock::time_point deadline);

// Attempts until its coroutine is cancelled. `wait` takes the place of sleeping, for a probe that
// watches a session meanwhile.
asio::awaitable<void> run_on_grid(ProbeContext& context, ProbeKind probe, Pace pace,
                                  Attempt attempt, Wait wait = {});

// When in its interval a probe runs: spread by the target's and the probe's name, so that targets
// do not fire together. Pure.
std::chrono::milliseconds splay(const std::string& target, ProbeKind probe,
                                std::chrono::milliseconds interval);

// The next time after `now` on the grid start + n × interval: missed runs are not made up. Pure.
Clock::time_point next_run(Clock::time_point start, std::chrono::milliseconds interval,
                           Clock::time_point now);

}  // namespace pgconn::probes
