// What serializing 100,000 series of four labels costs, in CPU time of one thread, and how that
// compares with prometheus-cpp's serializer in the same run. Fails when it is above its limit.
#include <malloc.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "metrics/cap.h"
#include "metrics/exposition.h"

namespace pgconn::metrics {
namespace {

constexpr int kFamilies = 20;
constexpr int kSeriesOfFamily = 5000;
constexpr int kRuns = 9;
constexpr double kMostMilliseconds = 50;  // of CPU, for all series

constexpr Descriptor kSessions =
    gauge("pgconn_sessions", "Sessions by who they are and what they do.",
          {"database", "user", "application", "state"});

// Twenty descriptors that differ by name alone; the names outlive them.
std::vector<Descriptor> descriptors() {
  static std::vector<std::string> names;
  for (int i = 0; i < kFamilies; ++i) names.push_back("pgconn_sessions_" + std::to_string(i));
  std::vector<Descriptor> made(kFamilies, kSessions);
  for (std::size_t i = 0; i < made.size(); ++i) made[i].name = names[i];
  return made;
}

std::vector<std::string> label_values(int i) {
  return {"orders_" + std::to_string(i % 50), "service_" + std::to_string(i % 20),
          "worker-" + std::to_string(i), "idle in transaction"};
}

// Every third value is a fraction, as ages are; the rest are counts.
double value(int i) { return i % 3 == 0 ? i / 7.0 : i; }

MetricBatch make_batch(const std::vector<Descriptor>& families) {
  MetricBatch batch;
  for (const Descriptor& family : families) {
    for (int i = 0; i < kSeriesOfFamily; ++i) batch.add(family, value(i), label_values(i));
  }
  return batch;
}

std::vector<prometheus::MetricFamily> make_prometheus_families(
    const std::vector<Descriptor>& families) {
  std::vector<prometheus::MetricFamily> made;
  for (const Descriptor& descriptor : families) {
    auto& family = made.emplace_back();
    family.name = descriptor.name;
    family.help = descriptor.help;
    family.type = prometheus::MetricType::Gauge;
    for (int i = 0; i < kSeriesOfFamily; ++i) {
      auto& metric = family.metric.emplace_back();
      const std::vector<std::string> values = label_values(i);
      metric.label.push_back({"target", "orders-primary"});
      for (std::size_t label = 0; label < values.size(); ++label) {
        metric.label.push_back({std::string(descriptor.label_names[label]), values[label]});
      }
      metric.gauge.value = value(i);
    }
  }
  return made;
}

double cpu_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The median of several runs; each is handed what `prepare` makes outside of the measured time.
template <typename Prepare, typename Work>
double measure(Prepare prepare, Work work) {
  std::vector<double> runs;
  for (int i = 0; i < kRuns; ++i) {
    auto input = prepare();
    const double start = cpu_milliseconds();
    work(input);
    runs.push_back(cpu_milliseconds() - start);
  }
  std::nth_element(runs.begin(), runs.begin() + kRuns / 2, runs.end());
  return runs[kRuns / 2];
}

// Prints a figure beside its limit, as measure.py does; whether it keeps it.
bool keeps_limit(const char* name, double ms) {
  const bool kept = ms <= kMostMilliseconds;
  std::printf("  %-46s %8.2f %-12s (at most %g)  %s\n", name, ms, "ms", kMostMilliseconds,
              kept ? "ok" : "ABOVE");
  return kept;
}

int run() {
  // Half of the cost is the first touch of fresh pages. malloc raises this threshold as it goes and
  // keeps what is below it, so that whatever is measured later would be spared that half.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);

  const std::vector<Descriptor> families = descriptors();
  const MetricBatch batch = make_batch(families);
  const auto prometheus_families = make_prometheus_families(families);
  const std::vector<LabeledBatch> once = {{{{"target", "orders-primary"}}, &batch}};
  // The same series twice, so that each has to be looked up and half of them dropped.
  const std::vector<LabeledBatch> twice = {once[0], once[0]};
  const std::string text = expose(once, Format::kText);

  std::size_t bytes = 0;  // keeps the work from being optimized away
  const auto nothing = [] { return 0; };
  const auto exposing = [&](const std::vector<LabeledBatch>& batches, Format format) {
    return measure(nothing, [&, format](int) { bytes += expose(batches, format).size(); });
  };
  const double ours = exposing(once, Format::kText);
  const double open_metrics = exposing(once, Format::kOpenMetrics);
  const double doubled = exposing(twice, Format::kText);
  const double theirs = measure(nothing, [&](int) {
    bytes += prometheus::TextSerializer().Serialize(prometheus_families).size();
  });
  const auto copy = [&] { return batch; };
  const double unified = measure(copy, [](MetricBatch& one) { one.unify(); });
  const double capped = measure(copy, [&](MetricBatch& one) { bytes += cap(one, 200).size(); });
  const double zipped = measure(nothing, [&](int) { bytes += gzip(text).size(); });

  std::printf("%d series, %zu MB of text, median of %d runs, CPU time\n",
              kFamilies * kSeriesOfFamily, text.size() / 1000000, kRuns);
  const auto print = [](const char* what, double ms) { std::printf("%-34s %7.1f ms\n", what, ms); };
  print("expose, text 0.0.4", ours);
  print("expose, OpenMetrics 1.0", open_metrics);
  print("expose, all series in two batches", doubled);
  print("prometheus::TextSerializer", theirs);
  print("unify", unified);
  print("cap to 200 a family", capped);
  print("gzip", zipped);
  std::printf("text / TextSerializer %.2f, OpenMetrics / TextSerializer %.2f\n", ours / theirs,
              open_metrics / theirs);
  const bool text_kept = keeps_limit("100,000 series, text 0.0.4", ours);
  const bool open_metrics_kept = keeps_limit("100,000 series, OpenMetrics 1.0", open_metrics);
  return bytes > 0 && text_kept && open_metrics_kept ? 0 : 1;
}

}  // namespace
}  // namespace pgconn::metrics

int main() { return pgconn::metrics::run(); }
