// What is made of entries: counts, and events for whoever listens. One for each kind of log. One
// thread counts, and hands out batches.
#pragma once

#include "metrics/batch.h"
#include "sources/server_log/entry.h"
#include "sources/server_log/input.h"
#include "sources/server_log/state_file.h"

namespace pgconn::server_log {

class Tally {
 public:
  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  virtual ~Tally() = default;

  // `now` stands in for the entry's time if it has none.
  virtual void take(const Entry& entry, TimePoint now) = 0;
  virtual void count(Trouble trouble) = 0;

  // Creates counters at 0: if entries have a SQLSTATE, with the expected ones, else without.
  virtual void foresee(bool has_sqlstate) = 0;

  // `faults` are those of this process; those of earlier ones were restored.
  virtual metrics::MetricBatch collect(const ParseFaults& faults, const Lag& lag) const = 0;

  // All that collect() shows as counters or histograms, and the times of the last events.
  virtual Totals totals(const ParseFaults& faults) const = 0;
  // Continues from these totals. Unknown ones are left out. Only before the first take().
  virtual void restore(const Totals& totals) = 0;
};

}  // namespace pgconn::server_log
