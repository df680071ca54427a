// What the probe waits has seen: how long clients of a pooler wait for a server, sampled between
// two scrapes. I/O thread only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>

#include "metrics/batch.h"
#include "metrics/instruments.h"
#include "postgres/rows.h"

namespace pgconn::exporter {

std::span<const metrics::Descriptor* const> pool_wait_families();

class PoolWaits {
 public:
  // `instruments`, which gets the histogram, must outlive it.
  explicit PoolWaits(metrics::Instruments& instruments) : instruments_(instruments) {}

  // An answer to SHOW POOLS. Throws std::exception if it is none.
  void observe(const postgres::Rows& answer);

  // The largest waits and queues since this was called last. Nothing for a pool that was not seen.
  void add_peaks(metrics::MetricBatch& batch);

 private:
  struct Peak {
    double seconds = 0, waiting = 0;
  };

  metrics::Instruments& instruments_;
  std::map<std::pair<std::string, std::string>, Peak> peaks_;  // by database and user
};

}  // namespace pgconn::exporter
