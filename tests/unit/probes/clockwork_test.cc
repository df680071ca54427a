#include "probes/clockwork.h"

#include <set>

#include "probes/recorder.h"
#include "tests/support/catch.h"

using namespace std::chrono_literals;
using namespace pgconn::probes;

TEST_CASE("a probe's place in its interval is the same at every start and within the interval") {
  for (const char* target : {"a", "b", "orders-primary"}) {
    const auto place = splay(target, ProbeKind::kConnect, 15s);
    CHECK(place >= 0ms);
    CHECK(place < 15s);
    CHECK(place == splay(target, ProbeKind::kConnect, 15s));
  }
}

TEST_CASE("targets are spread over the interval") {
  std::set<std::chrono::milliseconds> places;
  for (int i = 0; i < 100; ++i) {
    places.insert(splay("target-" + std::to_string(i), ProbeKind::kConnect, 15s));
  }
  CHECK(places.size() > 90);
}

TEST_CASE("runs keep to their grid and missed ones are not made up for") {
  const Clock::time_point start(100s);
  CHECK(next_run(start, 10s, Clock::time_point(90s)) == start);
  CHECK(next_run(start, 10s, start) == Clock::time_point(110s));
  CHECK(next_run(start, 10s, Clock::time_point(111s)) == Clock::time_point(120s));
  CHECK(next_run(start, 10s, Clock::time_point(1005s)) == Clock::time_point(1010s));
}

TEST_CASE("phases that did not happen are not reported") {
  pgconn::postgres::ConnectTimings timings;
  timings.tcp = 1ms;
  timings.startup = 2ms;
  const auto phases = phases_of(timings);
  REQUIRE(phases.size() == 2);
  CHECK(phases[0].phase == "tcp");
  CHECK(phases[1].phase == "startup");
}

TEST_CASE("a recorder reports the last result and the last duration of each phase") {
  pgconn::metrics::Instruments instruments;
  Recorder recorder(instruments, {0.1, 1});
  recorder.succeeded(ProbeKind::kConnect, {{"tcp", 50ms}, {"total", 200ms}});
  recorder.succeeded(ProbeKind::kConnect, {{"tcp", 70ms}});
  recorder.failed(ProbeKind::kRoundtrip,
                  pgconn::postgres::PgError(pgconn::postgres::Phase::kQuery,
                                            pgconn::postgres::Reason::kTimeout, "", "no", true));
  pgconn::metrics::MetricBatch batch;
  recorder.add_gauges(batch);
  std::map<std::string, double> values;
  for (const auto& family : batch.families()) {
    for (const auto& sample : family.samples) {
      std::string key(family.descriptor->name);
      for (const std::string& label : sample.labels) key += "/" + label;
      values[key] = sample.value;
    }
  }
  CHECK(values.at("pgconn_probe_success/connect") == 1);
  CHECK(values.at("pgconn_probe_success/roundtrip") == 0);
  CHECK(values.at("pgconn_probe_last_duration_seconds/connect/tcp") == Approx(0.07));
  CHECK(values.at("pgconn_probe_last_duration_seconds/connect/total") == Approx(0.2));
}
