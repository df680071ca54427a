#include "collectors/collector.h"

#include <set>

#include "collectors/kind.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;
using pgconn::postgres::PgError;
using pgconn::postgres::Phase;
using pgconn::postgres::Reason;

TEST_CASE("A reading takes the newest SQL that the server understands") {
  const VersionedSql sql[] = {{160000, "new"}, {140000, "old"}};
  const Reading reading{.name = "test", .sql = sql};
  CHECK(reading.for_version(180000) == "new");
  CHECK(reading.for_version(160000) == "new");
  CHECK(reading.for_version(150018) == "old");
  CHECK(reading.for_version(130016) == std::nullopt);
}

TEST_CASE("A reading that failed throws its error, one without answer a timeout") {
  Readings readings;
  readings.put(limits_reading(), PgError(Phase::kQuery, Reason::kCanceled, "57014", "late", false));
  try {
    readings.rows(limits_reading());
    FAIL("no error");
  } catch (const PgError& error) {
    CHECK(error.sqlstate() == "57014");
  }
  try {
    readings.rows(server_reading());
    FAIL("no error");
  } catch (const PgError& error) {
    CHECK(error.reason() == Reason::kTimeout);
  }
  CHECK(readings.find(limits_reading()) == nullptr);
  CHECK(readings.find(server_reading()) == nullptr);
}

TEST_CASE("Every reading has SQL for all supported versions and ends in no semicolon") {
  Options by_client;
  by_client.by_client = 5;
  for (const Options& options : {Options(), by_client}) {
    for (const Collector* collector : postgres_kind().collectors) {
      for (const Reading* reading : collector->readings(options)) {
        INFO(reading->name);
        for (int version : {130000, 140000, 150000, 160000, 170000, 180000}) {
          REQUIRE(reading->for_version(version));
          CHECK(reading->for_version(version)->find(";\n") == std::string_view::npos);
          CHECK(reading->for_version(version)->back() != ';');
        }
      }
    }
  }
}

TEST_CASE("Names of collectors, readings and families are each used once") {
  std::set<std::string_view> collectors, families;
  std::map<std::string_view, const Reading*> readings;
  for (const Collector* collector : all_collectors()) {
    CHECK(collectors.insert(collector->info().name).second);
    CHECK_FALSE(collector->info().help.empty());
    for (const auto* descriptor : collector->info().descriptors) {
      INFO(descriptor->name);
      CHECK(families.insert(descriptor->name).second);
    }
    for (const Reading* reading : collector->readings({})) {
      CHECK(readings.emplace(reading->name, reading).first->second == reading);
    }
  }
}

TEST_CASE("Only what our role may see is there to be asked") {
  CHECK(Visibility{}.has(Need::kNothing));
  CHECK_FALSE(Visibility{}.has(Need::kSessions));
  CHECK_FALSE(Visibility{}.has(Need::kHbaRules));
  CHECK(Visibility{.hba_rules = true}.has(Need::kHbaRules));
  CHECK_FALSE(Visibility{}.has(Need::kIdentity));
  CHECK(Visibility{.identity = true}.has(Need::kIdentity));
}
