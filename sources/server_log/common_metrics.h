// What is counted of every log, whoever writes it: lines by severity, faults of parsing, troubles,
// and the lag. A value without a lock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "metrics/batch.h"
#include "sources/server_log/entry.h"
#include "sources/server_log/input.h"
#include "sources/server_log/state_file.h"

namespace pgconn::server_log {

class CommonMetrics {
 public:
  void count(Severity severity) { ++lines_.at(static_cast<std::size_t>(severity)); }
  void count(Trouble trouble) { ++troubles_.at(static_cast<std::size_t>(trouble)); }

  // `faults` are those of this process; those of earlier ones were restored.
  void collect(const ParseFaults& faults, const Lag& lag, metrics::MetricBatch& batch) const;
  void add_totals(const ParseFaults& faults, Totals& totals) const;
  void restore(const Totals& totals);

 private:
  std::array<std::uint64_t, kSeverities> lines_{};
  std::array<std::uint64_t, kTroubles> troubles_{};
  ParseFaults earlier_faults_;
};

// A total as it is kept, and back. A double counts exactly up to 9e15.
std::uint64_t count_of(const Totals& totals, const std::string& key);

}  // namespace pgconn::server_log
