#include "metrics/exposition.h"

#include <limits>

#include "tests/support/catch.h"
#include "tests/unit/metrics/parsed_exposition.h"

namespace pgconn::metrics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr Descriptor kUp = gauge("pgconn_up", "Whether it answered.");
constexpr Descriptor kSessions = gauge("pgconn_sessions", "Sessions.", {"database", "state"});
constexpr Descriptor kOldest =
    gauge("pgconn_oldest_seconds", "Oldest.", {}, Unit::kSeconds, Fold::kMax);
constexpr Descriptor kSpent =
    counter("pgconn_session_seconds_total", "Spent.", {"kind"}, Unit::kSeconds);
constexpr Descriptor kTarget = info("pgconn_target_info", "Target.", {"host"});
constexpr Descriptor kDuration = histogram("pgconn_duration_seconds", "Duration.", {"phase"});
constexpr Descriptor kQuoted = gauge("pgconn_quoted", R"(Says "a\b".)");

MetricBatch example() {
  MetricBatch batch;
  batch.add(kUp, 1);
  batch.add(kSessions, 12, {"orders", "idle in transaction"});
  batch.add(kSessions, 3, {"billing", "active"});
  batch.add(kOldest, 0.25);
  batch.add(kSpent, 1234.5, {"active"});
  batch.add(kTarget, 1, {"db.internal"});
  batch.add(kDuration, {.buckets = {{0.005, 1}, {1, 2}, {1e6, 3}, {kInfinity, 4}}, .sum = 7.5},
            {"tcp"});
  return batch;
}

std::string expose_one(const MetricBatch& batch, Format format) {
  const LabeledBatch labeled{.labels = {{"target", "t"}}, .batch = &batch};
  return expose({&labeled, 1}, format);
}

std::string expose_all(const std::vector<LabeledBatch>& batches, Format format = Format::kText) {
  return expose(batches, format);
}

TEST_CASE("the Prometheus text format, whole") {
  CHECK(expose_one(example(), Format::kText) ==
        R"(# HELP pgconn_duration_seconds Duration.
# TYPE pgconn_duration_seconds histogram
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="0.005"} 1
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="1"} 2
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="1000000"} 3
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="+Inf"} 4
pgconn_duration_seconds_sum{target="t",phase="tcp"} 7.5
pgconn_duration_seconds_count{target="t",phase="tcp"} 4
# HELP pgconn_oldest_seconds Oldest.
# TYPE pgconn_oldest_seconds gauge
pgconn_oldest_seconds{target="t"} 0.25
# HELP pgconn_session_seconds_total Spent.
# TYPE pgconn_session_seconds_total counter
pgconn_session_seconds_total{target="t",kind="active"} 1234.5
# HELP pgconn_sessions Sessions.
# TYPE pgconn_sessions gauge
pgconn_sessions{target="t",database="orders",state="idle in transaction"} 12
pgconn_sessions{target="t",database="billing",state="active"} 3
# HELP pgconn_target_info Target.
# TYPE pgconn_target_info gauge
pgconn_target_info{target="t",host="db.internal"} 1
# HELP pgconn_up Whether it answered.
# TYPE pgconn_up gauge
pgconn_up{target="t"} 1
)");
}

TEST_CASE("OpenMetrics, whole") {
  CHECK(expose_one(example(), Format::kOpenMetrics) ==
        R"(# TYPE pgconn_duration_seconds histogram
# UNIT pgconn_duration_seconds seconds
# HELP pgconn_duration_seconds Duration.
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="0.005"} 1
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="1.0"} 2
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="1e+06"} 3
pgconn_duration_seconds_bucket{target="t",phase="tcp",le="+Inf"} 4
pgconn_duration_seconds_sum{target="t",phase="tcp"} 7.5
pgconn_duration_seconds_count{target="t",phase="tcp"} 4
# TYPE pgconn_oldest_seconds gauge
# UNIT pgconn_oldest_seconds seconds
# HELP pgconn_oldest_seconds Oldest.
pgconn_oldest_seconds{target="t"} 0.25
# TYPE pgconn_session_seconds counter
# UNIT pgconn_session_seconds seconds
# HELP pgconn_session_seconds Spent.
pgconn_session_seconds_total{target="t",kind="active"} 1234.5
# TYPE pgconn_sessions gauge
# HELP pgconn_sessions Sessions.
pgconn_sessions{target="t",database="orders",state="idle in transaction"} 12
pgconn_sessions{target="t",database="billing",state="active"} 3
# TYPE pgconn_target info
# HELP pgconn_target Target.
pgconn_target_info{target="t",host="db.internal"} 1
# TYPE pgconn_up gauge
# HELP pgconn_up Whether it answered.
pgconn_up{target="t"} 1
# EOF
)");
}

TEST_CASE("nothing to expose is an empty text, or the end alone") {
  CHECK(expose({}, Format::kText).empty());
  CHECK(expose({}, Format::kOpenMetrics) == "# EOF\n");
  CHECK(expose_all({{.labels = {{"target", "t"}}, .batch = nullptr}}).empty());
}

TEST_CASE("a series without labels has no braces") {
  MetricBatch batch;
  batch.add(kUp, 1);
  CHECK_THAT(expose_all({{.labels = {}, .batch = &batch}}),
             Catch::Matchers::EndsWith("\npgconn_up 1\n"));
}

TEST_CASE("a declared family shows HELP and TYPE without a sample") {
  MetricBatch batch;
  batch.declare(kUp);
  CHECK(expose_one(batch, Format::kText) ==
        "# HELP pgconn_up Whether it answered.\n# TYPE pgconn_up gauge\n");
}

TEST_CASE("help escapes the backslash, and quotes in OpenMetrics only") {
  MetricBatch batch;
  batch.declare(kQuoted);
  const auto text = ExpositionReader::read(expose_one(batch, Format::kText));
  CHECK(text.families.at("pgconn_quoted").help == R"(Says "a\\b".)");
  const auto open_metrics = ExpositionReader::read(expose_one(batch, Format::kOpenMetrics));
  CHECK(open_metrics.families.at("pgconn_quoted").help == R"(Says \"a\\b\".)");
}

TEST_CASE("help of a descriptor that escaped the checks cannot break the line") {
  Descriptor forged = kUp;
  forged.help = "One\nTwo";
  MetricBatch batch;
  batch.declare(forged);
  for (Format format : {Format::kText, Format::kOpenMetrics}) {
    const auto parsed = ExpositionReader::read(expose_one(batch, format));
    CHECK(parsed.families.at("pgconn_up").help == "One\\nTwo");
  }
}

TEST_CASE("label values escape backslash, quote and newline, the batch's own too") {
  MetricBatch batch;
  batch.add(kTarget, 1, {"a\\b\"c\nd"});
  CHECK_THAT(expose_all({{.labels = {{"env", "\"\n\\"}}, .batch = &batch}}),
             Catch::Matchers::EndsWith(R"(pgconn_target_info{env="\"\n\\",host="a\\b\"c\nd"} 1)"
                                       "\n"));
}

TEST_CASE("invalid UTF-8 in the batch's own labels is replaced") {
  MetricBatch batch;
  batch.add(kUp, 1);
  CHECK_THAT(expose_all({{.labels = {{"env", "caf\xE9"}}, .batch = &batch}}),
             Catch::Matchers::EndsWith("pgconn_up{env=\"caf\xEF\xBF\xBD\"} 1\n"));
}

TEST_CASE("families of one name are joined across batches, described once and sorted") {
  MetricBatch first;
  first.add(kUp, 1);
  first.add(kSessions, 1, {"a", "idle"});
  MetricBatch second;
  second.add(kSessions, 2, {"a", "idle"});
  second.add(kUp, 0);
  for (Format format : {Format::kText, Format::kOpenMetrics}) {
    const auto parsed =
        ExpositionReader::read(expose_all({{.labels = {{"target", "x"}}, .batch = &first},
                                           {.labels = {{"target", "y"}}, .batch = &second}},
                                          format));
    CHECK(parsed.family_order == std::vector<std::string>{"pgconn_sessions", "pgconn_up"});
    CHECK(parsed.series.size() == 4);
    CHECK(parsed.series.at({"pgconn_up", {{"target", "x"}}}) == "1");
    CHECK(parsed.series.at({"pgconn_up", {{"target", "y"}}}) == "0");
  }
}

TEST_CASE("of equal series in batches of equal labels the first stays") {
  MetricBatch first;
  first.add(kSessions, 1, {"a", "idle"});
  MetricBatch second;
  second.add(kSessions, 2, {"a", "idle"});
  second.add(kSessions, 3, {"b", "idle"});
  const std::vector<std::pair<std::string, std::string>> labels = {{"target", "t"}, {"env", "e"}};
  const std::vector<std::pair<std::string, std::string>> turned = {{"env", "e"}, {"target", "t"}};
  for (const auto& others : {labels, turned}) {
    const auto parsed = ExpositionReader::read(
        expose_all({{.labels = labels, .batch = &first}, {.labels = others, .batch = &second}}));
    CHECK(parsed.series.size() == 2);
    CHECK(parsed.series.at(
              {"pgconn_sessions",
               {{"target", "t"}, {"env", "e"}, {"database", "a"}, {"state", "idle"}}}) == "1");
  }
}

TEST_CASE("a series that repeats in one target is left alone in another") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"a", "idle"});
  const auto parsed =
      ExpositionReader::read(expose_all({{.labels = {{"target", "x"}}, .batch = &batch},
                                         {.labels = {{"target", "x"}}, .batch = &batch},
                                         {.labels = {{"target", "y"}}, .batch = &batch}}));
  CHECK(parsed.series.size() == 2);
  CHECK(parsed.series.contains(
      {"pgconn_sessions", {{"target", "y"}, {"database", "a"}, {"state", "idle"}}}));
}

TEST_CASE("batch labels that a repair makes equal do not repeat a series") {
  MetricBatch batch;
  batch.add(kUp, 1);
  const auto parsed =
      ExpositionReader::read(expose_all({{.labels = {{"env", "\xE8"}}, .batch = &batch},
                                         {.labels = {{"env", "\xE9"}}, .batch = &batch}}));
  CHECK(parsed.series.size() == 1);
}

TEST_CASE("equal histograms of two batches are shown once, with all their lines") {
  MetricBatch batch;
  batch.add(kDuration, {.buckets = {{1, 2}, {kInfinity, 4}}, .sum = 7}, {"tcp"});
  const auto parsed = ExpositionReader::read(
      expose_all({{.labels = {}, .batch = &batch}, {.labels = {}, .batch = &batch}}));
  CHECK(parsed.series.size() == 4);
}

TEST_CASE("a descriptor's own label stands before a batch's of the same name") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"a", "idle"});
  batch.add(kUp, 1);
  const auto parsed = ExpositionReader::read(
      expose_all({{.labels = {{"target", "t"}, {"database", "configured"}}, .batch = &batch}}));
  CHECK(parsed.series.contains(
      {"pgconn_sessions", {{"target", "t"}, {"database", "a"}, {"state", "idle"}}}));
  CHECK(parsed.series.contains({"pgconn_up", {{"target", "t"}, {"database", "configured"}}}));
}

TEST_CASE("series do not repeat where batches differ only in a label that a descriptor has") {
  MetricBatch batch;
  batch.add(kSessions, 1, {"a", "idle"});
  const auto parsed =
      ExpositionReader::read(expose_all({{.labels = {{"database", "x"}}, .batch = &batch},
                                         {.labels = {{"database", "y"}}, .batch = &batch}}));
  CHECK(parsed.series.size() == 1);
}

TEST_CASE("of batch labels with one name the first counts") {
  MetricBatch batch;
  batch.add(kUp, 1);
  const auto parsed = ExpositionReader::read(
      expose_all({{.labels = {{"target", "t"}, {"target", "u"}}, .batch = &batch}}));
  CHECK(parsed.series.contains({"pgconn_up", {{"target", "t"}}}));
}

TEST_CASE("of families with two types by one name the first stays") {
  static constexpr Descriptor kGauge = gauge("pgconn_x", "Gauge.");
  static constexpr Descriptor kCounter = counter("pgconn_x_total", "Counter.", {"kind"});
  MetricBatch batch;
  batch.add(kGauge, 1);
  batch.add(kCounter, 2, {"a"});
  // Two names in the text format, one in OpenMetrics.
  CHECK(ExpositionReader::read(expose_one(batch, Format::kText)).series.size() == 2);
  const auto parsed = ExpositionReader::read(expose_one(batch, Format::kOpenMetrics));
  CHECK(parsed.series.size() == 1);
  CHECK(parsed.families.at("pgconn_x").type == "gauge");
}

}  // namespace
}  // namespace pgconn::metrics
