#include "probes/recorder.h"

#include "postgres/reason_name.h"
#include "postgres/sqlstate.h"
#include "probes/probe_metrics.h"

namespace pgconn::probes {

std::vector<PhaseTime> phases_of(const postgres::ConnectTimings& timings) {
  std::vector<PhaseTime> phases;
  if (timings.resolve) phases.push_back({"resolve", *timings.resolve});
  if (timings.tcp) phases.push_back({"tcp", *timings.tcp});
  if (timings.tls) phases.push_back({"tls", *timings.tls});
  if (timings.startup) phases.push_back({"startup", *timings.startup});
  return phases;
}

Recorder::Recorder(metrics::Instruments& instruments, std::vector<double> buckets, Listener ran)
    : instruments_(instruments), buckets_(std::move(buckets)), ran_(std::move(ran)) {}

void Recorder::expect(ProbeKind probe) {
  instruments_.count(families::kAttempts, {std::string(to_string(probe))}, 0);
}

void Recorder::attempt(ProbeKind probe) {
  instruments_.count(families::kAttempts, {std::string(to_string(probe))});
}

void Recorder::succeeded(ProbeKind probe, const std::vector<PhaseTime>& phases) {
  Last& last = last_[probe];
  last.success = true;
  for (const PhaseTime& time : phases) {
    const double seconds = std::chrono::duration<double>(time.took).count();
    const std::string phase(time.phase);
    last.seconds[phase] = seconds;
    instruments_.observe(families::kDuration, seconds, buckets_,
                         {std::string(to_string(probe)), phase});
  }
  if (ran_) ran_(probe, nullptr);
}

void Recorder::failed(ProbeKind probe, const postgres::PgError& error) {
  last_[probe].success = false;
  instruments_.count(
      families::kFailures,
      {std::string(to_string(probe)), std::string(to_string(error.phase())),
       std::string(reason_name(error)), std::string(postgres::sqlstate_label(error.sqlstate()))});
  if (ran_) ran_(probe, &error);
}

void Recorder::add_gauges(metrics::MetricBatch& batch) const {
  for (const auto& [probe, last] : last_) {
    const std::string name(to_string(probe));
    if (last.success) batch.add(families::kSuccess, *last.success ? 1 : 0, {name});
    for (const auto& [phase, seconds] : last.seconds) {
      batch.add(families::kLastDuration, seconds, {name, phase});
    }
  }
}

}  // namespace pgconn::probes
