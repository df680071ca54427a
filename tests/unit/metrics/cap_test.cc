#include "metrics/cap.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>

#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

using Strings = std::vector<std::string>;
using Values = std::map<Strings, double>;

constexpr Descriptor kSessions = gauge("pgconn_sessions", "Sessions.", {"database", "state"});
constexpr Descriptor kOldest =
    gauge("pgconn_oldest_seconds", "Oldest.", {"database"}, Unit::kSeconds, Fold::kMax);
constexpr Descriptor kLeft =
    gauge("pgconn_left_seconds", "Left.", {"database"}, Unit::kSeconds, Fold::kMin);
constexpr Descriptor kDeadlocks = counter("pgconn_deadlocks_total", "Deadlocks.", {"database"});
constexpr Descriptor kOwner = info("pgconn_owner_info", "Owner.", {"database", "owner"});
constexpr Descriptor kWait = histogram("pgconn_wait_seconds", "Wait.", {"database"});
constexpr Descriptor kByState = gauge("pgconn_by_state", "No open-ended label.", {"state"});

Values values(const Family& family) {
  Values found;
  for (const Sample& sample : family.samples) {
    INFO(sample.labels.front());
    CHECK(found.emplace(sample.labels, sample.value).second);  // no series twice
  }
  return found;
}

Values capped_values(MetricBatch& batch, std::size_t max_series) {
  cap(batch, max_series);
  return values(batch.families().front());
}

TEST_CASE("the largest series stay and the rest are summed into other") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"a", "idle"});
  batch.add(kSessions, 30, {"b", "idle"});
  batch.add(kSessions, 2, {"c", "idle"});
  batch.add(kSessions, 20, {"d", "idle"});
  const auto capped = cap(batch, 2);
  REQUIRE(capped.size() == 1);
  CHECK(capped[0].descriptor == &kSessions);
  CHECK(capped[0].series == 2);
  CHECK(values(batch.families()[0]) ==
        Values{{{"b", "idle"}, 30}, {{"d", "idle"}, 20}, {{"other", "idle"}, 3}});
}

TEST_CASE("labels that are not open-ended stay themselves in other") {
  MetricBatch batch;
  batch.add(kSessions, 9, {"a", "idle"});
  batch.add(kSessions, 1, {"b", "idle"});
  batch.add(kSessions, 2, {"c", "active"});
  batch.add(kSessions, 3, {"d", "idle"});
  CHECK(capped_values(batch, 1) ==
        Values{{{"a", "idle"}, 9}, {{"other", "idle"}, 4}, {{"other", "active"}, 2}});
}

TEST_CASE("series that stay keep their order, and other comes last") {
  MetricBatch batch;
  for (const char* name : {"m", "z", "a", "k"}) {
    batch.add(kSessions, name[0] == 'z' ? 1 : 5, {name, "idle"});
  }
  cap(batch, 3);
  Strings order;
  for (const Sample& sample : batch.families()[0].samples) order.push_back(sample.labels[0]);
  CHECK(order == Strings{"m", "a", "k", "other"});
}

TEST_CASE("ages fold to the largest, and of what is folded by the least the smallest stay") {
  MetricBatch batch;
  for (int i = 1; i <= 4; ++i) {
    batch.add(kOldest, i * 10, {std::to_string(i)});
    batch.add(kLeft, i * 10, {std::to_string(i)});
  }
  CHECK(cap(batch, 2).size() == 2);
  CHECK(values(batch.families()[0]) == Values{{{"3"}, 30}, {{"4"}, 40}, {{"other"}, 20}});
  CHECK(values(batch.families()[1]) == Values{{{"1"}, 10}, {{"2"}, 20}, {{"other"}, 30}});
}

TEST_CASE("counters, histograms and infos beyond the bound are left out, not folded") {
  MetricBatch batch;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const std::string name = std::to_string(i);
    batch.add(kDeadlocks, static_cast<double>(i), {name});
    batch.add(kOwner, 1, {name, "o"});
    const double infinity = std::numeric_limits<double>::infinity();
    batch.add(kWait, {.buckets = {{infinity, i}}, .sum = 1}, {name});
  }
  const auto capped = cap(batch, 2);
  REQUIRE(capped.size() == 3);
  for (const Capped& one : capped) CHECK(one.series == 1);
  CHECK(values(batch.families()[0]) == Values{{{"2"}, 2}, {{"3"}, 3}});
  CHECK(values(batch.families()[1]) == Values{{{"1", "o"}, 1}, {{"2", "o"}, 1}});
  const auto& waits = batch.families()[2].histograms;
  REQUIRE(waits.size() == 2);
  CHECK(waits[0].labels == Strings{"2"});
  CHECK(waits[1].labels == Strings{"3"});
}

TEST_CASE("a real database called other joins the rest instead of appearing twice") {
  for (double real : {100.0, 1.0}) {  // kept for its size, or folded
    MetricBatch batch;
    batch.add(kSessions, real, {"other", "idle"});
    batch.add(kSessions, 50, {"a", "idle"});
    batch.add(kSessions, 3, {"b", "idle"});
    batch.add(kSessions, 4, {"c", "idle"});
    batch.add(kSessions, 60, {"d", "idle"});
    const Values after = capped_values(batch, 2);
    double sum = 0;
    for (const auto& [labels, value] : after) sum += value;
    CHECK(sum == real + 117);
    CHECK(after.at({"other", "idle"}) >= real + 7);
  }
}

TEST_CASE("ties are broken by label values, whatever the order of arrival") {
  std::mt19937 random(7);
  Strings names;
  for (char c = 'a'; c <= 'z'; ++c) names.push_back(std::string(1, c));
  for (int round = 0; round < 20; ++round) {
    std::shuffle(names.begin(), names.end(), random);
    MetricBatch batch;
    for (const std::string& name : names) batch.add(kSessions, 1, {name, "idle"});
    CHECK(capped_values(batch, 3) ==
          Values{
              {{"a", "idle"}, 1}, {{"b", "idle"}, 1}, {{"c", "idle"}, 1}, {{"other", "idle"}, 23}});
  }
}

TEST_CASE("NaN never takes the place of a number") {
  MetricBatch batch;
  batch.add(kOldest, std::numeric_limits<double>::quiet_NaN(), {"a"});
  batch.add(kOldest, -5, {"b"});
  batch.add(kOldest, 1, {"c"});
  const Values after = capped_values(batch, 2);
  CHECK(after.at({"b"}) == -5);
  CHECK(after.at({"c"}) == 1);
  CHECK(std::isnan(after.at({"other"})));
}

TEST_CASE("equal series count as one before anything is cut") {
  MetricBatch batch;
  for (int i = 0; i < 5; ++i) batch.add(kSessions, 1, {"a", "idle"});
  batch.add(kSessions, 3, {"b", "idle"});
  CHECK(cap(batch, 2).empty());
  CHECK(values(batch.families()[0]) == Values{{{"a", "idle"}, 5}, {{"b", "idle"}, 3}});
}

TEST_CASE("nothing is cut at the bound, without a bound, or without an open-ended label") {
  MetricBatch batch;
  for (int i = 0; i < 3; ++i) {
    batch.add(kSessions, i, {std::to_string(i), "idle"});
    batch.add(kByState, i, {std::to_string(i)});
  }
  CHECK(cap(batch, 3).empty());
  CHECK(cap(batch, 0).empty());
  const auto capped = cap(batch, 1);
  REQUIRE(capped.size() == 1);
  CHECK(capped[0].descriptor == &kSessions);
  CHECK(batch.families()[1].samples.size() == 3);
}

TEST_CASE("the sum over a family is the same before and after") {
  std::mt19937 random(11);
  MetricBatch batch;
  double before = 0;
  for (int i = 0; i < 500; ++i) {
    const double value = static_cast<double>(random() % 100);
    batch.add(kSessions, value, {"db" + std::to_string(i), i % 2 == 0 ? "idle" : "active"});
    before += value;
  }
  double after = 0;
  for (const auto& [labels, value] : capped_values(batch, 20)) after += value;
  CHECK(after == before);
  CHECK(batch.families()[0].samples.size() == 22);
}

}  // namespace
}  // namespace pgconn::metrics
