// Counts classified entries into the families of log_families.h. A value without a lock: one thread
// counts, and hands out batches. Separate from Instruments because a log can have a hundred
// thousand lines a second, and because its totals survive a restart (see state_file.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/batch.h"
#include "sources/server_log/classify.h"
#include "sources/server_log/common_metrics.h"
#include "sources/server_log/repeated_losses.h"
#include "sources/server_log/tally.h"

namespace pgconn::server_log {

class LogMetrics final : public Tally {
 public:
  // Called for every entry that is an event; the texts are from the log, for evidence only.
  using Listener = std::function<void(const Entry&, const Classified&)>;

  explicit LogMetrics(Listener listener = {});

  void take(const Entry& entry, TimePoint now) override;
  void count(Trouble trouble) override { common_.count(trouble); }
  void foresee(bool has_sqlstate) override;
  metrics::MetricBatch collect(const ParseFaults& faults, const Lag& lag) const override;
  Totals totals(const ParseFaults& faults) const override;
  void restore(const Totals& totals) override;

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
  void count(const Entry& entry, const Classified& classified, TimePoint now);

  Listener listener_;
  RepeatedLosses losses_;
  CommonMetrics common_;
  std::array<std::vector<EventCount>, kEvents> events_;
  std::array<double, kEvents> last_{};  // Unix time; 0: never
  std::array<std::uint64_t, kRefusals> refusals_{};
  Histogram sessions_;
  std::array<Histogram, kLoginStages> logins_;
  bool has_logins_ = false;
};

}  // namespace pgconn::server_log
