// Counters and histograms that live as long as the process: prometheus-cpp's accumulators, bound to
// our descriptors. Thread-safe: HTTP workers and the I/O thread both count.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/descriptor.h"

namespace pgconn::metrics {

class Instruments {
 public:
  Instruments();
  ~Instruments();
  Instruments(const Instruments&) = delete;
  Instruments& operator=(const Instruments&) = delete;

  // Adds `amount` (≥ 0) to a counter; the first call creates the series. `amount` 0 creates it
  // at 0, so that increase() sees the first event. Label values in the descriptor's order.
  void count(const Descriptor& counter, std::vector<std::string> labels = {}, double amount = 1);

  // Observes a value in a histogram whose upper bounds are `bounds` (ascending, without +Inf);
  // the bounds of the first observation of a series stay.
  void observe(const Descriptor& histogram, double value, const std::vector<double>& bounds,
               std::vector<std::string> labels = {});

  // The current values. Only families that have at least one series.
  MetricBatch collect() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::metrics
