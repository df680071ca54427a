// The roundtrip probe: one held connection, asked each interval and watched in between.
#pragma once

#include "probes/probe.h"

namespace pgconn::probes {

// Runs until its coroutine is cancelled.
asio::awaitable<void> run_roundtrip_probe(ProbeContext& context, Pace pace);

}  // namespace pgconn::probes
