#include "metrics/batch.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

using Strings = std::vector<std::string>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr Descriptor kUp = gauge("pgconn_up", "Up.");
constexpr Descriptor kSessions = gauge("pgconn_sessions", "Sessions.", {"database", "state"});
constexpr Descriptor kOldest =
    gauge("pgconn_oldest_seconds", "Oldest.", {"database"}, Unit::kSeconds, Fold::kMax);
constexpr Descriptor kExpiry =
    gauge("pgconn_not_after_seconds", "Expiry.", {"database"}, Unit::kSeconds, Fold::kMin);
constexpr Descriptor kDeadlocks = counter("pgconn_deadlocks_total", "Deadlocks.", {"database"});
constexpr Descriptor kTarget = info("pgconn_target_info", "Target.", {"host"});
constexpr Descriptor kDuration = histogram("pgconn_duration_seconds", "Duration.", {"phase"});
// The names of others, with another meaning.
constexpr Descriptor kOtherSessions = gauge("pgconn_sessions", "Sessions.", {"user", "state"});
constexpr Descriptor kSameSessions = gauge("pgconn_sessions", "Again.", {"database", "state"});

HistogramValue two_observations() {
  return {.buckets = {{0.1, 1}, {1, 2}, {kInfinity, 2}}, .sum = 0.5};
}

TEST_CASE("a batch keeps families and samples in the order they came") {
  MetricBatch batch;
  CHECK(batch.empty());
  batch.add(kSessions, 1, {"b", "idle"});
  batch.add(kUp, 1);
  batch.add(kSessions, 2, {"a", "active"});
  REQUIRE(batch.families().size() == 2);
  const Family& sessions = batch.families()[0];
  CHECK(sessions.descriptor == &kSessions);
  REQUIRE(sessions.samples.size() == 2);
  CHECK(sessions.samples[0].labels == Strings{"b", "idle"});
  CHECK(sessions.samples[1].value == 2);
  CHECK(batch.families()[1].descriptor == &kUp);
}

TEST_CASE("the wrong number of label values is a mistake of the program") {
  MetricBatch batch;
  CHECK_THROWS_AS(batch.add(kSessions, 1, {"a"}), std::logic_error);
  CHECK_THROWS_AS(batch.add(kUp, 1, {"a"}), std::logic_error);
  CHECK_THROWS_AS(batch.add(kDuration, two_observations()), std::logic_error);
}

TEST_CASE("a plain value is no histogram and a histogram is nothing else") {
  MetricBatch batch;
  CHECK_THROWS_AS(batch.add(kDuration, 1, {"tcp"}), std::logic_error);
  CHECK_THROWS_AS(batch.add(kUp, two_observations()), std::logic_error);
}

TEST_CASE("one name with two meanings is a mistake of the program") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"a", "idle"});
  CHECK_THROWS_AS(batch.add(kOtherSessions, 1, {"a", "idle"}), std::logic_error);
  batch.add(kSameSessions, 2, {"b", "idle"});
  REQUIRE(batch.families().size() == 1);
  CHECK(batch.families()[0].samples.size() == 2);
}

TEST_CASE("buckets must ascend from 0 to +Inf without falling counts, and the sum be a number") {
  const auto rejects = [](HistogramValue value) {
    MetricBatch batch;
    CHECK_THROWS_AS(batch.add(kDuration, std::move(value), {"tcp"}), std::logic_error);
    CHECK(batch.empty());
  };
  rejects({.buckets = {}, .sum = 0});
  rejects({.buckets = {{0.1, 1}}, .sum = 0});
  rejects({.buckets = {{1, 1}, {0.1, 1}, {kInfinity, 1}}, .sum = 0});
  rejects({.buckets = {{1, 1}, {1, 1}, {kInfinity, 1}}, .sum = 0});
  rejects({.buckets = {{kInfinity, 1}, {kInfinity, 1}}, .sum = 0});
  rejects({.buckets = {{1, 2}, {kInfinity, 1}}, .sum = 0});
  rejects({.buckets = {{-0.5, 0}, {kInfinity, 1}}, .sum = 0});
  rejects({.buckets = {{kNaN, 0}, {kInfinity, 1}}, .sum = 0});
  rejects({.buckets = {{kInfinity, 1}}, .sum = kNaN});
  rejects({.buckets = {{kInfinity, 1}}, .sum = -1});
  MetricBatch batch;
  batch.add(kDuration, {.buckets = {{0, 0}, {kInfinity, 0}}, .sum = 0}, {"tcp"});
  CHECK(batch.families()[0].histograms.size() == 1);
}

TEST_CASE("invalid UTF-8 in a label value is replaced and counted once per value") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"caf\xE9", "idle"});
  batch.add(kSessions, 1, {"\xFF\xFE", std::string("a\0b", 3)});
  batch.add(kSessions, 1, {"caf\xC3\xA9", "idle"});
  CHECK(batch.repaired_values() == 3);
  CHECK(batch.families()[0].samples[0].labels == Strings{"caf\xEF\xBF\xBD", "idle"});
}

TEST_CASE("a counter that is NaN or negative is left out, a gauge is not") {
  MetricBatch batch;
  batch.add(kDeadlocks, kNaN, {"a"});
  batch.add(kDeadlocks, -1, {"b"});
  batch.add(kDeadlocks, 0, {"c"});
  batch.add(kOldest, kNaN, {"a"});
  batch.add(kOldest, -1, {"b"});
  REQUIRE(batch.families()[0].samples.size() == 1);
  CHECK(batch.families()[0].samples[0].labels == Strings{"c"});
  CHECK(batch.families()[1].samples.size() == 2);
}

TEST_CASE("an info is always 1") {
  MetricBatch batch;
  batch.add(kTarget, 17, {"a"});
  CHECK(batch.families()[0].samples[0].value == 1);
}

TEST_CASE("a declared family exists without samples, and once") {
  MetricBatch batch;
  batch.declare(kSessions);
  batch.declare(kSessions);
  REQUIRE(batch.families().size() == 1);
  CHECK(batch.families()[0].samples.empty());
  CHECK_THROWS_AS(batch.declare(kOtherSessions), std::logic_error);
}

TEST_CASE("appending joins families, keeps order, adds repairs and empties the other batch") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"a", "idle"});
  MetricBatch other;
  other.add(kUp, 1);
  other.add(kSessions, 2, {"\xFF", "idle"});
  other.add(kDuration, two_observations(), {"tcp"});
  batch.append(std::move(other));
  REQUIRE(batch.families().size() == 3);
  CHECK(batch.families()[0].samples.size() == 2);
  CHECK(batch.families()[1].descriptor == &kUp);
  CHECK(batch.families()[2].histograms.size() == 1);
  CHECK(batch.repaired_values() == 1);
}

TEST_CASE("unify sums, or keeps the largest or smallest, as the descriptor says") {
  MetricBatch batch;
  for (double value : {3.0, 7.0, 5.0}) {
    batch.add(kSessions, value, {"a", "idle"});
    batch.add(kOldest, value, {"a"});
    batch.add(kExpiry, value, {"a"});
    batch.add(kTarget, value, {"a"});
  }
  batch.unify();
  const auto only_value = [&](std::size_t family) {
    REQUIRE(batch.families()[family].samples.size() == 1);
    return batch.families()[family].samples[0].value;
  };
  CHECK(only_value(0) == 15);
  CHECK(only_value(1) == 7);
  CHECK(only_value(2) == 3);
  CHECK(only_value(3) == 1);
}

TEST_CASE("unify lets a number win over NaN where the largest counts") {
  MetricBatch batch;
  batch.add(kOldest, kNaN, {"a"});
  batch.add(kOldest, 4, {"a"});
  batch.unify();
  CHECK(batch.families()[0].samples[0].value == 4);
}

TEST_CASE("unify folds values that a repair made equal") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"caf\xE8", "idle"});
  batch.add(kSessions, 2, {"caf\xE9", "idle"});
  batch.unify();
  REQUIRE(batch.families()[0].samples.size() == 1);
  CHECK(batch.families()[0].samples[0].value == 3);
}

TEST_CASE("unify tells labels apart by position and keeps the order of the first of each") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"ab", "c"});
  batch.add(kSessions, 2, {"a", "bc"});
  batch.add(kSessions, 4, {"c", "ab"});
  batch.add(kSessions, 8, {"a", "bc"});
  batch.unify();
  const auto& samples = batch.families()[0].samples;
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].labels == Strings{"ab", "c"});
  CHECK(samples[1].value == 10);
  CHECK(samples[2].labels == Strings{"c", "ab"});
}

TEST_CASE("unify keeps the first of equal histograms and changes nothing the second time") {
  MetricBatch batch;
  batch.add(kDuration, two_observations(), {"tcp"});
  batch.add(kDuration, {.buckets = {{kInfinity, 9}}, .sum = 9}, {"tcp"});
  batch.add(kSessions, 1, {"a", "idle"});
  batch.add(kSessions, 2, {"a", "idle"});
  batch.unify();
  batch.unify();
  REQUIRE(batch.families()[0].histograms.size() == 1);
  CHECK(batch.families()[0].histograms[0].value.count() == 2);
  CHECK(batch.families()[1].samples[0].value == 3);
}

}  // namespace
}  // namespace pgconn::metrics
