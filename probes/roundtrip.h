// The roundtrip probe: one connection that is held and asked at each interval. I/O thread only.
#pragma once

#include "probes/clockwork.h"

namespace pgconn::probes {

// Runs until its coroutine is cancelled.
asio::awaitable<void> run_roundtrip_probe(ProbeContext& context, Pace pace);

}  // namespace pgconn::probes
