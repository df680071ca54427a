// What the probes roundtrip and waits have in common: one connection that is held and asked at each
// interval. I/O thread only.
#pragma once

#include <chrono>
#include <functional>

#include "probes/clockwork.h"
#include "probes/held_session.h"

namespace pgconn::probes {

// Asks on an open session and returns how long the answer took. Throws PgError.
using Ask =
    std::function<asio::awaitable<Clock::duration>(HeldSession&, Clock::time_point deadline)>;

// Runs until its coroutine is cancelled. `longest_wait` limits the time between attempts to
// connect.
asio::awaitable<void> run_asking_probe(ProbeContext& context, ProbeKind probe, Pace pace,
                                       std::chrono::milliseconds longest_wait, Ask ask);

}  // namespace pgconn::probes
