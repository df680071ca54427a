// Counts classified entries into the families of log_families.h. A value without a lock: one thread
// counts, and hands out batches. Separate from Instruments because a log can have a hundred
// thousand lines a second, and because its totals survive a restart (see state_file.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/batch.h"
#include "sources/server_log/classify.h"
#include "sources/server_log/follower.h"
#include "sources/server_log/state_file.h"

namespace pgconn::server_log {

class LogMetrics {
 public:
  // `has_sqlstate`: whether entries have a SQLSTATE; then counters of events are created at 0 with
  // the expected SQLSTATEs, else without.
  explicit LogMetrics(bool has_sqlstate);

  // `now` stands in for the entry's time if it has none.
  void count(const Entry& entry, const Classified& classified, TimePoint now);
  void count(Trouble trouble) { ++troubles_[static_cast<std::size_t>(trouble)]; }

  // `faults` are those of this process; those of earlier ones were restored.
  metrics::MetricBatch collect(const ParseFaults& faults, const Lag& lag) const;

  // All that collect() shows as counters or histograms, and the times of the last events.
  Totals totals(const ParseFaults& faults) const;
  // Continues from these totals. Unknown ones are left out. Only before the first count.
  void restore(const Totals& totals);

 private:
  struct EventCount {
    std::string_view sqlstate;  // lives as long as the program
    std::uint64_t count = 0;
  };
  struct Histogram {
    std::vector<double> bounds;          // of seconds
    std::vector<std::uint64_t> buckets;  // not cumulative; the last is above all bounds
    double sum = 0;
    explicit Histogram(std::vector<double> upper_bounds);
    void observe(double seconds);
    metrics::HistogramValue value() const;
  };
  // Visits every total as (key, reference): the one list of what is kept.
  template <typename Self, typename Visit>
  static void visit(Self& self, Visit visit);
  std::uint64_t& of_event(Event event, std::string_view sqlstate);

  std::array<std::vector<EventCount>, kEvents> events_;
  std::array<double, kEvents> last_{};  // Unix time; 0: never
  std::array<std::uint64_t, kSeverities> lines_{};
  std::array<std::uint64_t, kRefusals> refusals_{};
  std::array<std::uint64_t, kTroubles> troubles_{};
  ParseFaults earlier_faults_;
  Histogram sessions_;
  std::array<Histogram, kLoginStages> logins_;
  bool has_logins_ = false;
};

}  // namespace pgconn::server_log
