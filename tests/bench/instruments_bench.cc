// What the counters of a thousand targets cost, ours and those of prometheus-cpp's registry side by
// side: 150 series a target, as the probes' failures have them. For docs/architecture.md; no limit.
#include <malloc.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "metrics/instruments.h"

namespace pgconn::metrics {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTargets = 1000;
constexpr int kCounts = 20;  // of each target
constexpr int kCollections = 5;
constexpr int kSeries = 150;

constexpr Descriptor kFailures =
    counter("pgconn_probe_failures_total", "Failed probes.", {"probe", "phase", "reason"});

std::vector<std::string> label_values(int series) {
  return {"probe_" + std::to_string(series % 5), "phase_" + std::to_string(series / 5 % 6),
          "reason_" + std::to_string(series / 30)};
}

prometheus::Labels labels(int series) {
  const auto values = label_values(series);
  return {{"probe", values[0]}, {"phase", values[1]}, {"reason", values[2]}};
}

struct Ours {
  Instruments instruments{200};
  void create(int series) { instruments.count(kFailures, label_values(series), 0); }
  void count(int series) { instruments.count(kFailures, label_values(series)); }
  std::size_t collect() const { return instruments.collect().families().size(); }
};

struct Registry {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& family = prometheus::BuildCounter()
                                                        .Name("pgconn_probe_failures_total")
                                                        .Help("Failed probes.")
                                                        .Register(registry);
  void create(int series) { family.Add(labels(series)); }
  void count(int series) { family.Add(labels(series)).Increment(); }
  std::size_t collect() const { return registry.Collect().size(); }
};

double microseconds(Clock::time_point since, int times) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count() / times;
}

template <typename Kind>
void measure(const char* name) {
  const auto before = static_cast<double>(mallinfo2().uordblks);
  std::vector<std::unique_ptr<Kind>> targets;
  for (int i = 0; i < kTargets; ++i) {
    targets.push_back(std::make_unique<Kind>());
    for (int series = 0; series < kSeries; ++series) targets.back()->create(series);
  }
  const double bytes = (static_cast<double>(mallinfo2().uordblks) - before) / kTargets;
  auto began = Clock::now();
  for (int i = 0; i < kCounts; ++i) {
    for (const auto& target : targets) target->count(i);
  }
  const double counting = microseconds(began, kCounts * kTargets);
  began = Clock::now();
  std::size_t families = 0;
  for (int i = 0; i < kCollections; ++i) {
    for (const auto& target : targets) families += target->collect();
  }
  std::printf("%-24s %6.1f kB a target, %5.2f us to count, %6.1f us to collect (%zu)\n", name,
              bytes / 1000, counting, microseconds(began, kCollections * kTargets), families);
}

}  // namespace
}  // namespace pgconn::metrics

int main() {
  pgconn::metrics::measure<pgconn::metrics::Ours>("metrics::Instruments");
  pgconn::metrics::measure<pgconn::metrics::Registry>("prometheus::Registry");
}
