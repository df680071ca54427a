#include "exporter/targets/collection.h"

#include <algorithm>

#include "collectors/kind.h"
#include "collectors/postgres/readings.h"
#include "tests/support/catch.h"

using namespace pgconn;
using exporter::CollectedReadings;
using exporter::Outcome;

namespace {

constexpr int kVersion = 170000;

std::set<std::string> all_collectors() {
  std::set<std::string> names;
  for (const collectors::Collector* collector : collectors::postgres_kind().collectors) {
    names.insert(std::string(collector->info().name));
  }
  return names;
}

postgres::PgError error(postgres::Reason reason) {
  return postgres::PgError(postgres::Phase::kQuery, reason, "XX000", "something", false);
}

const exporter::CollectorReport& report_of(const std::vector<exporter::CollectorReport>& reports,
                                           std::string_view name) {
  return *std::find_if(reports.begin(), reports.end(),
                       [&](const auto& report) { return report.name == name; });
}

CollectedReadings seen_by_monitor() {
  CollectedReadings collected;
  collected.server_version = kVersion;
  collected.visibility.sessions = true;
  return collected;
}

}  // namespace

TEST_CASE("a plan holds each reading once however many collectors want it") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), all_collectors(), {}, kVersion);
  auto readings = plan.readings;
  std::sort(readings.begin(), readings.end());
  CHECK(std::adjacent_find(readings.begin(), readings.end()) == readings.end());
  CHECK(plan.collectors.size() == collectors::postgres_kind().collectors.size());
}

TEST_CASE("the sessions are read by exactly one reading of a plan") {
  for (const int by_client : {0, 5}) {
    collectors::Options options;
    options.by_client = by_client;
    const auto plan =
        exporter::plan_collection(collectors::postgres_kind(), all_collectors(), options, kVersion);
    const auto queries = exporter::queries_for(plan.readings, kVersion);
    const auto reads = std::count_if(queries.begin(), queries.end(), [](const auto& query) {
      return query.sql.find("pg_stat_get_activity") != std::string::npos;
    });
    CHECK(reads == 1);
  }
}

TEST_CASE("a plan asks for the server itself whatever is wanted") {
  const auto plan = exporter::plan_collection(collectors::postgres_kind(), {}, {}, kVersion);
  CHECK(plan.collectors.empty());
  CHECK(plan.readings ==
        std::vector{&collectors::server_reading(), &collectors::identity_reading()});
}

TEST_CASE("every query of a plan is prepared under a name of its own") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), all_collectors(), {}, kVersion);
  std::set<std::string> names;
  for (const auto& query : exporter::queries_for(plan.readings, kVersion)) {
    CHECK_FALSE(query.sql.empty());
    CHECK(names.insert(query.name).second);
  }
}

TEST_CASE("a collector whose reading failed adds nothing and says why") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), {"session_ends"}, {}, kVersion);
  CollectedReadings collected = seen_by_monitor();
  collected.readings.put(collectors::database_stats_reading(),
                         error(postgres::Reason::kLockTimeout));
  metrics::MetricBatch batch;
  const auto reports = exporter::run_collectors(plan, {}, collected, batch);
  CHECK(batch.empty());
  CHECK(report_of(reports, "session_ends").outcome == Outcome::kFailed);
  CHECK(report_of(reports, "session_ends").message == "something");
}

TEST_CASE("a collector whose reading may not be sent is skipped with the missing grant") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), {"session_ends"}, {}, kVersion);
  CollectedReadings collected = seen_by_monitor();
  collected.readings.put(collectors::database_stats_reading(),
                         error(postgres::Reason::kPermission));
  metrics::MetricBatch batch;
  const auto reports = exporter::run_collectors(plan, {}, collected, batch);
  CHECK(report_of(reports, "session_ends").outcome == Outcome::kSkipped);
  CHECK(report_of(reports, "session_ends").reason == "privilege");
  CHECK(report_of(reports, "session_ends").message.find("GRANT pg_monitor") != std::string::npos);
}

TEST_CASE("collectors that need to see other roles' sessions are skipped for a bare role") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), all_collectors(), {}, kVersion);
  CollectedReadings collected;
  collected.server_version = kVersion;
  metrics::MetricBatch batch;
  const auto reports = exporter::run_collectors(plan, {}, collected, batch);
  for (const char* name : {"sessions", "blocking", "transport"}) {
    CAPTURE(name);
    CHECK(report_of(reports, name).outcome == Outcome::kSkipped);
    CHECK(report_of(reports, name).reason == "privilege");
  }
}

TEST_CASE("a reading that did not arrive in time fails its collector as timed out") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), {"session_ends"}, {}, kVersion);
  metrics::MetricBatch batch;
  const auto reports = exporter::run_collectors(plan, {}, seen_by_monitor(), batch);
  CHECK(report_of(reports, "session_ends").outcome == Outcome::kFailed);
  CHECK_FALSE(report_of(reports, "session_ends").message.empty());
}

TEST_CASE("rows of an unexpected shape fail their collector alone") {
  const auto plan =
      exporter::plan_collection(collectors::postgres_kind(), {"session_ends"}, {}, kVersion);
  CollectedReadings collected = seen_by_monitor();
  collected.readings.put(collectors::database_stats_reading(),
                         postgres::Rows({"unexpected"}, {postgres::Cell("1")}));
  metrics::MetricBatch batch;
  const auto reports = exporter::run_collectors(plan, {}, collected, batch);
  CHECK(report_of(reports, "session_ends").outcome == Outcome::kFailed);
  CHECK(batch.empty());
}

TEST_CASE("every report becomes success and duration, a skip its reason as well") {
  metrics::MetricBatch batch;
  exporter::add_reports({{"a", Outcome::kSuccess, "", "", exporter::Seconds(0.5)},
                         {"b", Outcome::kFailed, "", "no", exporter::Seconds(0)},
                         {"c", Outcome::kSkipped, "version", "old", exporter::Seconds(0)}},
                        batch);
  std::map<std::string, std::size_t> samples;
  for (const auto& family : batch.families()) {
    samples[std::string(family.descriptor->name)] = family.samples.size();
  }
  CHECK(samples["pgconn_collector_success"] == 3);
  CHECK(samples["pgconn_collector_duration_seconds"] == 3);
  CHECK(samples["pgconn_collector_skipped"] == 1);
}
