// A second kind of target, which only tests have, goes the same way as PostgreSQL.
#include <algorithm>

#include "exporter/targets/assemble.h"
#include "exporter/targets/collection.h"
#include "exporter/targets/target_settings.h"
#include "tests/support/catch.h"
#include "tests/support/console_kind.h"

namespace pgconn::exporter {
namespace {

using postgres::Rows;
using test::console_kind;

constexpr int kVersion = 11800;

// What a console answered to each question.
Collected answered(const std::set<std::string>& wanted, const std::string& version = "1.18.0") {
  Collected collected;
  collected.plan = plan_collection(console_kind(), wanted, {}, kVersion);
  collected.readings.server_version = kVersion;
  collectors::Readings& readings = collected.readings.readings;
  readings.put(test::kVersion, Rows({"version"}, {"PgBouncer " + version}));
  readings.put(test::kPools, Rows({"database", "user", "cl_active"}, {"shop", "app", "3"}));
  readings.put(test::kNonsense,
               postgres::PgError(postgres::Phase::kQuery, postgres::Reason::kPermission, "42501",
                                 "ERROR: not for you", false));
  collected.facts = console_kind().facts(readings, {});
  return collected;
}

std::map<std::string, std::vector<std::string>> labels_by_family(const TargetResult& result) {
  std::map<std::string, std::vector<std::string>> labels;
  for (const metrics::Family& family : result.batch.families()) {
    labels[std::string(family.descriptor->name)] = family.samples.front().labels;
  }
  return labels;
}

TEST_CASE("a kind is asked its own questions, and none of PostgreSQL's") {
  const auto plan = plan_collection(console_kind(), {"pools", "sessions"}, {}, kVersion);
  REQUIRE(plan.readings == std::vector{&test::kVersion, &test::kPools});
  const auto queries = queries_for(plan.readings, kVersion);
  CHECK(queries[0].sql == "SHOW VERSION");
  CHECK(queries[1].sql == "SHOW POOLS");
}

TEST_CASE("the collectors that are on for a target are those of its kind") {
  CHECK(enabled_collectors(console_kind(), {}) ==
        std::set<std::string>{"pools", "nonsense", "later"});
  CHECK(enabled_collectors(collectors::postgres_kind(), {}).contains("sessions"));
  CHECK_FALSE(enabled_collectors(collectors::postgres_kind(), {}).contains("pools"));
}

TEST_CASE("what is told of a target says its kind, and leaves out what that kind does not have") {
  const Collected collected = answered({"pools"});
  metrics::MetricBatch batch;
  const auto reports = run_collectors(collected, {"pools"}, {}, batch);
  config::Target config;
  config.name = "pool";
  const std::optional<postgres::ConnInfo> conninfo =
      postgres::ConnInfo::parse("host=db port=6432 dbname=pgbouncer user=monitor");
  const TargetResult result = assemble({config, console_kind(), conninfo, collected.facts},
                                       std::move(batch), reports, true);
  const auto labels = labels_by_family(result);
  CHECK(labels.at("pgconn_target_info") ==
        std::vector<std::string>{"db", "6432", "pgbouncer", "console", "1.18.0", ""});
  CHECK(labels.at("pgconn_test_pool_clients") == std::vector<std::string>{"shop", "app"});
}

TEST_CASE("a collector that cannot run is told in the words of its kind") {
  const Collected collected = answered({"nonsense", "later"});
  metrics::MetricBatch batch;
  const auto reports = run_collectors(collected, {"nonsense", "later"}, {}, batch);
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].reason == "privilege");
  CHECK(reports[0].message == "ERROR: not for you");  // there is no GRANT that would help
  CHECK(reports[1].reason == "version");
  CHECK(reports[1].message == "needs PgBouncer 9.99 or newer");
}

TEST_CASE("an answer that is not of its kind makes no facts") {
  CHECK_THROWS(console_kind().facts(
      [] {
        collectors::Readings readings;
        readings.put(test::kVersion, Rows({"version"}, {"PostgreSQL 17"}));
        return readings;
      }(),
      {}));
}

}  // namespace
}  // namespace pgconn::exporter
