// The metric families of a server's host (docs/metrics.md, "Host"). Pure; any thread.
#pragma once

#include <span>

#include "metrics/batch.h"
#include "metrics/descriptor.h"
#include "sources/host/host_ledger.h"
#include "sources/host/host_reading.h"

namespace pgconn::host {

// Adds one sample for each known fact of the latest look and each count. What could not be read has
// no sample, and pgconn_host_readable is 0. An incomplete list of sockets gives no samples: they
// would be too low.
void add_host_metrics(const HostReading& reading, const HostCounts& counts,
                      metrics::MetricBatch& batch);

// The descriptors add_host_metrics() may use, for `list metrics`.
std::span<const metrics::Descriptor* const> host_descriptors();

}  // namespace pgconn::host
