// What is counted of a target besides what its probes count. Any thread, as Instruments are.
#pragma once

#include "metrics/instruments.h"
#include "postgres/error.h"

namespace pgconn::exporter {

// Makes the counters of what is foreseen exist at 0: increase() does not see the event that creates
// a series.
void foresee_target(metrics::Instruments& instruments);

// A failure of the collection session, or of a query in it.
void count_failure(metrics::Instruments& instruments, const postgres::PgError& error);

}  // namespace pgconn::exporter
