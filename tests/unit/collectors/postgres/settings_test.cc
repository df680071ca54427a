#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

TEST_CASE("Settings, overrides, what waits for a restart and findings become samples") {
  Readings readings;
  readings.put(settings_reading(), settings({{"statement_timeout", "0", "ms"},
                                             {"lock_timeout", "5000", "ms", true},
                                             {"max_connections", "100", kNull, false, true},
                                             {"cluster_name", "x", kNull, false, true}}));
  readings.put(overrides_reading(), overrides({{"statement_timeout", "30s", "", "app"},
                                               {"lock_timeout", "nonsense", "shop", ""}}));
  const auto collected = collect(settings_collector(), readings);
  CHECK(collected.at("pgconn_setting_seconds{statement_timeout}") == 0);
  CHECK(collected.count("pgconn_setting_seconds") == 1);
  CHECK(collected.at("pgconn_setting_value{max_connections}") == 100);
  CHECK(collected.count("pgconn_setting_value") == 1);
  CHECK(collected.at("pgconn_setting_override_seconds{statement_timeout,,app}") == Approx(30));
  CHECK(collected.count("pgconn_setting_override_seconds") == 1);
  CHECK(collected.at("pgconn_setting_pending_restart{cluster_name}") == 1);
  CHECK(collected.at("pgconn_setting_pending_restart{max_connections}") == 1);
  CHECK(collected.at("pgconn_finding{pending_restart,warning,server}") == 1);
  CHECK(collected.count("pgconn_finding") == 1);
}

TEST_CASE("Without its readings the collector fails") {
  Readings readings;
  readings.put(settings_reading(), settings({}));
  CHECK_THROWS_AS(collect(settings_collector(), readings), pgconn::postgres::PgError);
}
