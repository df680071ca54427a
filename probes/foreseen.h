// The events that probes are likely to meet. Their counters exist at 0 from the start, because
// increase() does not see the event that creates a series. Any other event creates its series when
// it happens.
#pragma once

#include "metrics/instruments.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

// pgconn_probe_failures_total of a probe that connects and asks. I/O thread only.
void foresee_failures(metrics::Instruments& instruments, ProbeKind probe);

// pgconn_connection_drops_total of a probe that holds connections. I/O thread only.
void foresee_drops(metrics::Instruments& instruments, ProbeKind probe);

}  // namespace pgconn::probes
