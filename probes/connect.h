// The connect probe: a fresh connection each interval, timed by phase.
#pragma once

#include "probes/probe.h"

namespace pgconn::probes {

// Runs until its coroutine is cancelled.
asio::awaitable<void> run_connect_probe(ProbeContext& context, Pace pace);

}  // namespace pgconn::probes
