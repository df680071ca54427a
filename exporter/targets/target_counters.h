// Counters of a target besides those of its probes. Any thread, like Instruments.
#pragma once

#include "metrics/instruments.h"
#include "postgres/error.h"

namespace pgconn::exporter {

// Creates the counters of likely events at 0: increase() does not see the event that creates a
// series.
void foresee_target(metrics::Instruments& instruments);

// A failure of the collection session, or of a query in it.
void count_failure(metrics::Instruments& instruments, const postgres::PgError& error);

}  // namespace pgconn::exporter
