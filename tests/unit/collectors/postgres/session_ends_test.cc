#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;
using pgconn::postgres::Rows;

TEST_CASE("From 14 on the ends of sessions are counted by reason, times in seconds") {
  Readings readings;
  readings.put(
      database_stats_reading(),
      Rows({"database", "xact_commit", "xact_rollback", "deadlocks", "stats_reset", "sessions",
            "sessions_abandoned", "sessions_fatal", "sessions_killed", "session_time",
            "active_time", "idle_in_transaction_time"},
           {"shop", "100", "7", "1", kNull, "50", "2", "3", "4", "1234567.5", "1500", "250"}));
  const auto collected = collect(session_ends_collector(), readings, {}, 140000);
  CHECK(collected.at("pgconn_sessions_established_total{shop}") == 50);
  CHECK(collected.at("pgconn_sessions_ended_total{shop,abandoned}") == 2);
  CHECK(collected.at("pgconn_sessions_ended_total{shop,fatal}") == 3);
  CHECK(collected.at("pgconn_sessions_ended_total{shop,killed}") == 4);
  CHECK(collected.at("pgconn_session_seconds_total{shop,session}") == Approx(1234.5675));
  CHECK(collected.at("pgconn_session_seconds_total{shop,active}") == Approx(1.5));
  CHECK(collected.at("pgconn_session_seconds_total{shop,idle_in_transaction}") == Approx(0.25));
  CHECK(collected.at("pgconn_transactions_total{shop,commit}") == 100);
  CHECK(collected.at("pgconn_transactions_total{shop,rollback}") == 7);
  CHECK(collected.at("pgconn_deadlocks_total{shop}") == 1);
  CHECK(collected.count("pgconn_stats_reset_time_seconds") == 0);
}

TEST_CASE("13 counts transactions and deadlocks only") {
  Readings readings;
  readings.put(database_stats_reading(),
               Rows({"database", "xact_commit", "xact_rollback", "deadlocks", "stats_reset"},
                    {"shop", "100", "7", "1", "1700000000"}));
  const auto collected = collect(session_ends_collector(), readings, {}, 130016);
  CHECK(collected.at("pgconn_stats_reset_time_seconds{shop}") == 1700000000);
  CHECK(collected.samples.size() == 4);
}
