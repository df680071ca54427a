#include "metrics/instruments.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

using Strings = std::vector<std::string>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr Descriptor kErrors =
    counter("pgconn_scrape_errors_total", "Errors.", {"reason", "sqlstate"});
constexpr Descriptor kRequests = counter("pgconn_requests_total", "Requests.");
constexpr Descriptor kDuration = histogram("pgconn_duration_seconds", "Duration.", {"phase"});
constexpr Descriptor kUp = gauge("pgconn_up", "Up.");
constexpr Descriptor kOtherRequests = counter("pgconn_requests_total", "Others.", {"path"});

const Sample& only_sample(const MetricBatch& batch) {
  REQUIRE(batch.families().size() == 1);
  REQUIRE(batch.families()[0].samples.size() == 1);
  return batch.families()[0].samples[0];
}

TEST_CASE("instruments that never counted show nothing") { CHECK(Instruments().collect().empty()); }

TEST_CASE("a counter created with 0 is shown at 0") {
  Instruments instruments;
  instruments.count(kErrors, {"timeout", ""}, 0);
  const MetricBatch batch = instruments.collect();
  CHECK(only_sample(batch).value == 0);
  CHECK(only_sample(batch).labels == Strings{"timeout", ""});
}

TEST_CASE("a counter adds up, each label set for itself") {
  Instruments instruments;
  instruments.count(kErrors, {"timeout", ""});
  instruments.count(kErrors, {"timeout", ""}, 2.5);
  instruments.count(kErrors, {"refused", "28P01"});
  const MetricBatch batch = instruments.collect();
  REQUIRE(batch.families().size() == 1);
  const auto& samples = batch.families()[0].samples;
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].labels == Strings{"refused", "28P01"});
  CHECK(samples[0].value == 1);
  CHECK(samples[1].value == 3.5);
}

TEST_CASE("an amount that a counter cannot take adds nothing") {
  Instruments instruments;
  instruments.count(kRequests, {}, 4);
  for (double amount : {-1.0, kNaN, kInfinity}) instruments.count(kRequests, {}, amount);
  CHECK(only_sample(instruments.collect()).value == 4);
}

TEST_CASE("a histogram counts each value in every bucket that holds it") {
  Instruments instruments;
  for (double value : {0.05, 0.1, 0.5, 20.0}) {
    instruments.observe(kDuration, value, {0.1, 1, 10}, {"tcp"});
  }
  const MetricBatch batch = instruments.collect();
  REQUIRE(batch.families().at(0).histograms.size() == 1);
  const HistogramValue& value = batch.families()[0].histograms[0].value;
  REQUIRE(value.buckets.size() == 4);
  CHECK(value.buckets[0].cumulative == 2);  // a bound is inclusive
  CHECK(value.buckets[1].cumulative == 3);
  CHECK(value.buckets[2].cumulative == 3);
  CHECK(value.buckets[3].cumulative == 4);
  CHECK(value.buckets[3].upper_bound == kInfinity);
  CHECK(value.sum == Approx(20.65));
}

TEST_CASE("a value that a histogram cannot take creates the series and is not observed") {
  Instruments instruments;
  for (double value : {-1.0, kNaN, kInfinity}) {
    instruments.observe(kDuration, value, {0.1}, {"tcp"});
  }
  const MetricBatch batch = instruments.collect();
  CHECK(batch.families().at(0).histograms.at(0).value.count() == 0);
  CHECK(batch.families()[0].histograms[0].value.sum == 0);
}

TEST_CASE("the bounds of a series' first observation stay") {
  Instruments instruments;
  instruments.observe(kDuration, 1, {0.1, 10}, {"tcp"});
  instruments.observe(kDuration, 1, {5}, {"tcp"});
  const MetricBatch batch = instruments.collect();
  const HistogramValue& value = batch.families().at(0).histograms.at(0).value;
  CHECK(value.buckets.size() == 3);
  CHECK(value.count() == 2);
}

TEST_CASE("bounds that do not ascend from 0 are a mistake of the program") {
  Instruments instruments;
  const std::vector<std::vector<double>> wrong = {{1, 1}, {2, 1}, {-1, 1}, {kNaN}, {1, kInfinity}};
  for (const auto& bounds : wrong) {
    CHECK_THROWS_AS(instruments.observe(kDuration, 1, bounds, {"tcp"}), std::logic_error);
  }
  CHECK(instruments.collect().empty());
}

TEST_CASE("wrong types, wrong labels and one name with two meanings are refused") {
  Instruments instruments;
  CHECK_THROWS_AS(instruments.count(kUp), std::logic_error);
  CHECK_THROWS_AS(instruments.count(kDuration, {"tcp"}), std::logic_error);
  CHECK_THROWS_AS(instruments.observe(kRequests, 1, {1}), std::logic_error);
  CHECK_THROWS_AS(instruments.count(kErrors, {"timeout"}), std::logic_error);
  instruments.count(kRequests);
  CHECK_THROWS_AS(instruments.count(kOtherRequests, {"/"}), std::logic_error);
  CHECK(only_sample(instruments.collect()).value == 1);
}

TEST_CASE("label values that a repair makes equal are one series") {
  Instruments instruments;
  instruments.count(kErrors, {"\xE8", ""});
  instruments.count(kErrors, {"\xE9", ""});
  CHECK(only_sample(instruments.collect()).value == 2);
}

TEST_CASE("nothing is lost when several threads count while another collects") {
  Instruments instruments;
  constexpr int kRounds = 2000;
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      instruments.count(kRequests);
      instruments.observe(kDuration, 1, {0.5, 2}, {std::to_string(i % 7)});
    }
  };
  std::thread first(work);
  std::thread second(work);
  double seen = 0;
  bool fell = false;
  for (int i = 0; i < 50; ++i) {
    const MetricBatch batch = instruments.collect();
    for (const Family& family : batch.families()) {
      if (family.descriptor != &kRequests) continue;
      fell = fell || family.samples.at(0).value < seen;
      seen = family.samples.at(0).value;
    }
  }
  first.join();
  second.join();
  CHECK_FALSE(fell);
  const MetricBatch batch = instruments.collect();
  REQUIRE(batch.families().size() == 2);
  std::uint64_t observed = 0;
  for (const HistogramSample& one : batch.families()[0].histograms) observed += one.value.count();
  CHECK(observed == 2 * kRounds);
  CHECK(batch.families()[1].samples[0].value == 2 * kRounds);
}

TEST_CASE("a family grows to its limit, and further series count as other") {
  Instruments instruments(3);
  instruments.count(kErrors, {"timeout", ""}, 0);
  for (int i = 0; i < 100; ++i) {
    instruments.count(kErrors, {"server_error", "X" + std::to_string(1000 + i)});
  }
  instruments.count(kErrors, {"server_error", "X1000"});
  const MetricBatch batch = instruments.collect();
  double sum = 0;
  for (const Sample& sample : batch.families()[0].samples) sum += sample.value;
  CHECK(sum == 101);
  REQUIRE(batch.families()[0].samples.size() == 4);
  CHECK(batch.families()[0].samples[0].value == 2);  // X1000 goes on
  CHECK(batch.families()[0].samples[2].labels == Strings{"server_error", "other"});
  CHECK(batch.families()[0].samples[2].value == 98);
}

TEST_CASE("expected series exist whatever the limit") {
  Instruments instruments(1);
  for (const char* sqlstate : {"28P01", "53300", "57P03"}) {
    instruments.count(kErrors, {"foreseen", sqlstate}, 0);
  }
  instruments.count(kErrors, {"foreseen", "53300"});
  const MetricBatch batch = instruments.collect();
  REQUIRE(batch.families()[0].samples.size() == 3);
  CHECK(batch.families()[0].samples[1].value == 1);
}

}  // namespace
}  // namespace pgconn::metrics
