// Random bytes through batch, cap and exposition: whatever a server calls its databases, the
// output is valid and shows what went in.
#include <cmath>
#include <limits>
#include <random>

#include "metrics/cap.h"
#include "metrics/exposition.h"
#include "tests/support/catch.h"
#include "tests/unit/metrics/parsed_exposition.h"
#include "text/utf8.h"

namespace pgconn::metrics {
namespace {

constexpr Descriptor kSessions = gauge("pgconn_sessions", "Sessions.", {"database", "user"});
constexpr Descriptor kDeadlocks = counter("pgconn_deadlocks_total", "Deadlocks.", {"database"});
constexpr Descriptor kWait = histogram("pgconn_wait_seconds", "Wait.", {"client"});

// Bytes that matter to the formats or to UTF-8 come more often than chance would have it.
std::string random_bytes(std::mt19937& random) {
  static constexpr char kSpecial[] = "\n\"\\,{}= \0\r\xC3\xA9\xE2\x82\xAC\xF0\x9F\xED\xA0\x80\xFF#";
  std::string bytes(random() % 12, '\0');
  for (char& byte : bytes) {
    byte = random() % 2 == 0 ? kSpecial[random() % (sizeof kSpecial - 1)]
                             : static_cast<char>(random());
  }
  return bytes;
}

double random_value(std::mt19937& random) {
  switch (random() % 8) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return std::numeric_limits<double>::infinity();
    case 2:
      return -std::numeric_limits<double>::infinity();
    default:
      return std::ldexp(static_cast<double>(random()) - 2e9,
                        static_cast<int>(random() % 200) - 100);
  }
}

MetricBatch random_batch(std::mt19937& random) {
  MetricBatch batch;
  for (int i = 0; i < 40; ++i) {
    batch.add(kSessions, random_value(random), {random_bytes(random), random_bytes(random)});
    batch.add(kDeadlocks, random_value(random), {random_bytes(random)});
    batch.add(kWait, {.buckets = {{1, 1}, {std::numeric_limits<double>::infinity(), 2}}, .sum = 3},
              {random_bytes(random)});
  }
  return batch;
}

// Every series that is in the batches, as the reader should find it (histograms by their count).
std::size_t lines_of(const MetricBatch& batch) {
  std::size_t lines = 0;
  for (const Family& family : batch.families()) {
    lines += family.samples.size() + family.histograms.size() * 4;
    for (const Sample& sample : family.samples) {
      for (const std::string& label : sample.labels) CHECK(text::is_exposable(label));
    }
  }
  return lines;
}

TEST_CASE("random bytes in label values give a valid exposition in which every series is found") {
  std::mt19937 random(20240607);
  for (int round = 0; round < 150; ++round) {
    MetricBatch batch = random_batch(random);
    cap(batch, round % 3 == 0 ? 10 : 0);
    batch.unify();
    const std::string env = random_bytes(random);
    const std::vector<LabeledBatch> batches = {{.labels = {{"target", env}}, .batch = &batch}};
    for (Format format : {Format::kText, Format::kOpenMetrics}) {
      const std::string text = expose(batches, format);
      REQUIRE(text::is_exposable(text));
      const ParsedExposition parsed = ExpositionReader::read(text);  // throws on bad grammar
      CHECK(parsed.series.size() == lines_of(batch));
      for (const Sample& sample : batch.families()[0].samples) {
        CHECK(parsed.series.contains({"pgconn_sessions",
                                      {{"target", text::repaired(env)},
                                       {"database", sample.labels[0]},
                                       {"user", sample.labels[1]}}}));
      }
    }
  }
}

TEST_CASE("random batches of random labels never repeat a series") {
  std::mt19937 random(99);
  for (int round = 0; round < 100; ++round) {
    std::vector<MetricBatch> batches;
    for (int i = 0; i < 4; ++i) {
      batches.push_back(random_batch(random));
      batches.back().unify();
    }
    std::vector<LabeledBatch> labeled;
    for (std::size_t i = 0; i < 8; ++i) {
      const std::string name = random() % 2 == 0 ? "env" : "database";
      labeled.push_back({.labels = {{name, std::string(1, static_cast<char>(random()))},
                                    {"target", std::to_string(random() % 2)}},
                         .batch = &batches[i % 4]});
    }
    for (Format format : {Format::kText, Format::kOpenMetrics}) {
      CHECK_NOTHROW(ExpositionReader::read(expose(labeled, format)));
    }
  }
}

}  // namespace
}  // namespace pgconn::metrics
