// Counters and histograms that live as long as the process: prometheus-cpp's accumulators with our
// descriptors. Thread-safe: HTTP workers and the I/O thread both count.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/descriptor.h"

namespace pgconn::metrics {

class Instruments {
 public:
  // `max_series` bounds each family: what would be one series too many counts in one whose
  // open-ended labels (is_open_ended) are `other`. So sums stay true and no counter
  // ever falls, whatever a peer chooses to send. Series that are created at 0 are ours, foreseen
  // and few: they are not refused. 0 is no bound.
  explicit Instruments(std::size_t max_series = 0);
  ~Instruments();
  Instruments(const Instruments&) = delete;
  Instruments& operator=(const Instruments&) = delete;

  // Adds `amount` to a counter; the first call creates the series. `amount` 0 creates it at 0, so
  // that increase() sees the first event. An amount that is negative or not finite adds nothing.
  // Label values in the descriptor's order. Throws std::logic_error if their number is wrong, the
  // descriptor is not a counter's, or a different one of its name is in use.
  void count(const Descriptor& counter, std::vector<std::string> labels = {}, double amount = 1);

  // Observes a value in a histogram whose upper bounds are `bounds` (ascending, from 0 or above,
  // without +Inf); the bounds of the first observation of a series stay. A value that is negative
  // or not finite is not observed, but creates the series. Throws std::logic_error as above, and
  // if the bounds are not as said.
  void observe(const Descriptor& histogram, double value, const std::vector<double>& bounds,
               std::vector<std::string> labels = {});

  // The current values, sorted by name and label values. Only families that have at least one
  // series.
  MetricBatch collect() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::metrics
