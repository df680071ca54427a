#include "exporter/targets/pool_waits.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using metrics::MetricBatch;
using postgres::Rows;

Rows pools(const std::string& waiting, const std::string& seconds, const std::string& micros) {
  return Rows({"database", "user", "cl_waiting", "maxwait", "maxwait_us"},
              {"shop", "app", waiting, seconds, micros, "pgbouncer", "pgbouncer", "0", "0", "0"});
}

std::map<std::string, double> peaks(PoolWaits& waits) {
  MetricBatch batch;
  waits.add_peaks(batch);
  std::map<std::string, double> values;
  for (const metrics::Family& family : batch.families()) {
    for (const metrics::Sample& sample : family.samples) {
      values[std::string(family.descriptor->name) + "/" + sample.labels[0] + "/" +
             sample.labels[1]] = sample.value;
    }
  }
  return values;
}

TEST_CASE("a queue between two scrapes is in the next one, and only in that one") {
  metrics::Instruments instruments;
  PoolWaits waits(instruments);
  waits.observe(pools("0", "0", "0"));
  waits.observe(pools("7", "0", "200000"));
  waits.observe(pools("9", "0", "100000"));
  waits.observe(pools("0", "0", "0"));
  const std::map<std::string, double> seen = {
      {"pgconn_pgbouncer_pool_wait_max_seconds/shop/app", 0.2},
      {"pgconn_pgbouncer_pool_waiting_clients_max/shop/app", 9}};
  CHECK(peaks(waits) == seen);
  CHECK(peaks(waits).empty());  // nothing was sampled since
  waits.observe(pools("0", "0", "0"));
  CHECK(peaks(waits).at("pgconn_pgbouncer_pool_wait_max_seconds/shop/app") == 0);
}

TEST_CASE("each sample is in the histogram, those without a queue as 0") {
  metrics::Instruments instruments;
  PoolWaits waits(instruments);
  for (int i = 0; i < 3; ++i) waits.observe(pools("0", "0", "0"));
  waits.observe(pools("7", "0", "200000"));
  const MetricBatch batch = instruments.collect();
  const metrics::HistogramValue& value = batch.families().at(0).histograms.at(0).value;
  CHECK(value.count() == 4);
  CHECK(value.buckets.at(0).cumulative == 3);            // up to a millisecond
  CHECK(value.buckets.at(3).cumulative == 3);            // up to 0.1 s
  CHECK(value.buckets.at(4).cumulative == 4);            // up to 0.25 s
  CHECK(batch.families().at(0).histograms.size() == 1);  // the console's own pool is not shown
}

TEST_CASE("an answer that is no answer to SHOW POOLS is refused and changes nothing") {
  metrics::Instruments instruments;
  PoolWaits waits(instruments);
  CHECK_THROWS(waits.observe(Rows({"version"}, {"PgBouncer 1.26.1"})));
  CHECK(peaks(waits).empty());
  CHECK(instruments.collect().empty());
}

TEST_CASE("a peer that invents pools does not use up memory") {
  metrics::Instruments instruments(10);
  PoolWaits waits(instruments);
  for (int round = 0; round < 30; ++round) {
    std::vector<postgres::Cell> cells;
    for (int i = 0; i < 1000; ++i) {
      cells.insert(cells.end(), {std::to_string(round) + "-" + std::to_string(i), "1"});
    }
    waits.observe(Rows({"database", "maxwait"}, cells));
  }
  CHECK(peaks(waits).size() <= 20'000);
}

}  // namespace
}  // namespace pgconn::exporter
