#include "probes/foreseen.h"

#include <map>
#include <string>

#include "probes/drops/attribution.h"
#include "probes/probe_metrics.h"
#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

// The values of a family after these calls, by their labels joined with "|".
std::map<std::string, double> values(const metrics::Instruments& instruments,
                                     std::string_view family) {
  std::map<std::string, double> found;
  const metrics::MetricBatch batch = instruments.collect();
  for (const auto& entry : batch.families()) {
    if (entry.descriptor->name != family) continue;
    for (const auto& sample : entry.samples) {
      std::string key;
      for (const std::string& label : sample.labels) key += (key.empty() ? "" : "|") + label;
      found[key] = sample.value;
    }
  }
  return found;
}

TEST_CASE("the counters of expected events exist at 0, so that the first event is an increase") {
  metrics::Instruments instruments;
  foresee_failures(instruments, ProbeKind::kConnect);
  foresee_drops(instruments, ProbeKind::kIdle);
  const auto failures = values(instruments, "pgconn_probe_failures_total");
  CHECK(failures.at("connect|startup|too_many_connections|53300") == 0);
  CHECK(failures.at("connect|tcp|refused|") == 0);
  const auto drops = values(instruments, "pgconn_connection_drops_total");
  CHECK(drops.at("idle|admin_terminate|57P01") == 0);
  CHECK(drops.at("idle|path_idle_timeout|") == 0);
}

TEST_CASE("an expected event counts in the existing series") {
  metrics::Instruments instruments;
  foresee_drops(instruments, ProbeKind::kIdle);
  const auto before = values(instruments, "pgconn_connection_drops_total").size();
  instruments.count(families::kDrops, {"idle", "crash", "57P02"});
  const auto after = values(instruments, "pgconn_connection_drops_total");
  CHECK(after.size() == before);
  CHECK(after.at("idle|crash|57P02") == 1);
}

}  // namespace
}  // namespace pgconn::probes
