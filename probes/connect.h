// The connect probe: a fresh connection each time, as an application's would be, its phases timed.
// I/O thread only.
#pragma once

#include "probes/clockwork.h"

namespace pgconn::probes {

// Connects, asks once and leaves. Throws PgError with the phase it failed in.
asio::awaitable<std::vector<PhaseTime>> attempt_connect(ProbeContext& context,
                                                        Clock::time_point deadline);

}  // namespace pgconn::probes
