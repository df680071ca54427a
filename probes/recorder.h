// Where probes record their results: counters, histograms and the latest results. I/O thread only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/instruments.h"
#include "postgres/connection.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

// One phase of a run and how long it took.
struct PhaseTime {
  std::string_view phase;
  std::chrono::steady_clock::duration took{};
};

// The phases of connecting that happened, in order; without the total.
std::vector<PhaseTime> phases_of(const postgres::ConnectTimings& timings);

class Recorder {
 public:
  // The latest results of a probe.
  struct Last {
    std::optional<bool> success;
    std::map<std::string, double> seconds;  // by phase
  };
  // Called after every run; nullptr: it succeeded.
  using Listener = std::function<void(ProbeKind, const postgres::PgError*)>;

  // `instruments` must outlive the recorder. `buckets` in seconds, ascending, without +Inf.
  Recorder(metrics::Instruments& instruments, std::vector<double> buckets, Listener ran = {});

  // Makes the probe's counters exist at 0.
  void expect(ProbeKind probe);

  void attempt(ProbeKind probe);
  void succeeded(ProbeKind probe, const std::vector<PhaseTime>& phases);
  void failed(ProbeKind probe, const postgres::PgError& error);

  const std::map<ProbeKind, Last>& last() const { return last_; }
  // pgconn_probe_success and pgconn_probe_last_duration_seconds.
  void add_gauges(metrics::MetricBatch& batch) const;

 private:
  metrics::Instruments& instruments_;
  std::vector<double> buckets_;
  Listener ran_;
  std::map<ProbeKind, Last> last_;
};

}  // namespace pgconn::probes
