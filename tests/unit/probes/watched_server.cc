#include "tests/unit/probes/watched_server.h"

#include <algorithm>

#include "postgres/backoff.h"
#include "probes/probe_metrics.h"

namespace pgconn::test {
namespace {

probes::ProbeSettings without_handshakes(probes::ProbeSettings settings) {
  settings.certificate.pace.on = false;
  return settings;
}

}  // namespace

WatchedServer::WatchedServer(probes::ProbeSettings settings, unsigned seed)
    : server(time, seed),
      resolver_(io_.get_executor()),
      dialer_(io_.get_executor(), resolver_, postgres::Dialer::MakeConnInfo(), 0),
      prober("target", server, dialer_, time, instruments, roots_,
             without_handshakes(std::move(settings)),
             {.concluded = [this](const probes::Incident& one) { incidents.push_back(one); },
              .over = [this](const probes::Incident& one) { over.push_back(one); },
              .ran = {},
              .certificates = {},
              .failed =
                  [this](std::string_view what, std::string_view error) {
                    failures.push_back(std::string(what) + ": " + std::string(error));
                  }}) {
  postgres::seed_dice(seed);
  prober.start();
}

WatchedServer::~WatchedServer() {
  prober.stop();
  time.pass(Clock::duration::zero());
}

double WatchedServer::counted(const metrics::Descriptor& family,
                              const std::vector<std::string>& labels) const {
  double sum = 0;
  const metrics::MetricBatch batch = instruments.collect();
  for (const metrics::Family& one : batch.families()) {
    if (one.descriptor->name != family.name) continue;
    for (const metrics::Sample& sample : one.samples) {
      const bool wanted = std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
        return std::find(sample.labels.begin(), sample.labels.end(), label) != sample.labels.end();
      });
      if (wanted) sum += sample.value;
    }
  }
  return sum;
}

std::map<std::string, double> WatchedServer::drops() const {
  std::map<std::string, double> drops;
  const metrics::MetricBatch batch = instruments.collect();
  for (const metrics::Family& one : batch.families()) {
    if (one.descriptor->name != probes::families::kDrops.name) continue;
    for (const metrics::Sample& sample : one.samples) {
      if (sample.value > 0) drops[sample.labels.at(1)] += sample.value;
    }
  }
  return drops;
}

metrics::MetricBatch WatchedServer::gauges() const {
  metrics::MetricBatch batch;
  prober.add_gauges(batch);
  return batch;
}

}  // namespace pgconn::test
