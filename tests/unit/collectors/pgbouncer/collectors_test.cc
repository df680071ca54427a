#include "collectors/kind.h"
#include "tests/unit/collectors/pgbouncer/console_answers.h"

using namespace pgconn::collectors;
using pgconn::postgres::Rows;

TEST_CASE("Counters are those since the process began, in base units, without the console's own") {
  const Rows rows({"database", "total_xact_count", "total_query_count", "total_wait_time",
                   "total_xact_time", "total_received", "avg_xact_count"},
                  {"pgbouncer", "9", "9", "9", "9", "9", "9",  //
                   "shop", "3", "7", "2500000", "500000", "1024", "1"});
  const Collected collected =
      collect(pooler_stats_collector(), answered(pooler_stats_reading(), rows));
  CHECK(collected.at("pgconn_pgbouncer_queries_total{shop}") == 7);
  CHECK(collected.at("pgconn_pgbouncer_transactions_total{shop}") == 3);
  CHECK(collected.at("pgconn_pgbouncer_client_wait_seconds_total{shop}") == 2.5);
  CHECK(collected.at("pgconn_pgbouncer_transaction_seconds_total{shop}") == 0.5);
  CHECK(collected.at("pgconn_pgbouncer_received_bytes_total{shop}") == 1024);
  CHECK(collected.samples.size() == 5);
}

TEST_CASE("Clients are shown beside how many there may be") {
  Readings readings =
      answered(pooler_lists_reading(),
               Rows({"list", "items"}, {"used_clients", "71", "login_clients", "2", "used_servers",
                                        "20", "pools", "3", "free_clients", "29"}));
  readings.put(pooler_config_reading(), config_rows({{"max_client_conn", "100"}}));
  const Collected collected = collect(pooler_clients_collector(), readings);
  CHECK(collected.at("pgconn_pgbouncer_clients{}") == 71);
  CHECK(collected.at("pgconn_pgbouncer_clients_max{}") == 100);
  CHECK(collected.at("pgconn_pgbouncer_clients_logging_in{}") == 2);
  CHECK(collected.at("pgconn_pgbouncer_servers{}") == 20);
  CHECK(collected.at("pgconn_pgbouncer_pools{}") == 3);
  CHECK(collected.samples.size() == 5);
}

TEST_CASE("A limit of 0 is none, and a database that is paused says so") {
  const Rows rows(
      {"name", "current_connections", "max_connections", "pool_size", "reserve_pool_size",
       "current_client_connections", "max_client_connections", "paused", "disabled"},
      {"pgbouncer", "0", "0", "2", "0", "1", "0", "0", "0",  //
       "shop", "4", "10", "20", "5", "30", "0", "1", "0"});
  const Collected collected =
      collect(pooler_databases_collector(), answered(pooler_databases_reading(), rows));
  CHECK(collected.at("pgconn_pgbouncer_database_servers{shop}") == 4);
  CHECK(collected.at("pgconn_pgbouncer_database_servers_max{shop}") == 10);
  CHECK(collected.at("pgconn_pgbouncer_database_pool_size{shop}") == 20);
  CHECK(collected.at("pgconn_pgbouncer_database_reserve_pool_size{shop}") == 5);
  CHECK(collected.at("pgconn_pgbouncer_database_clients{shop}") == 30);
  CHECK(collected.at("pgconn_pgbouncer_database_paused{shop}") == 1);
  CHECK(collected.at("pgconn_pgbouncer_database_disabled{shop}") == 0);
  CHECK(collected.samples.size() == 7);
}

TEST_CASE("The reserve has the name of 1.18 too") {
  const Collected collected =
      collect(pooler_databases_collector(),
              answered(pooler_databases_reading(), Rows({"name", "reserve_pool"}, {"shop", "5"})));
  CHECK(collected.at("pgconn_pgbouncer_database_reserve_pool_size{shop}") == 5);
}

TEST_CASE("Only users that have limits of their own are shown") {
  const Rows rows({"name", "pool_mode", "max_user_connections", "current_connections",
                   "max_user_client_connections", "current_client_connections"},
                  {"app", kNull, "10", "4", "0", "30",  //
                   "batch", kNull, "0", "2", "5", "1"});
  const Collected collected =
      collect(pooler_users_collector(), answered(pooler_users_reading(), rows));
  CHECK(collected.at("pgconn_pgbouncer_user_servers{app}") == 4);
  CHECK(collected.at("pgconn_pgbouncer_user_servers_max{app}") == 10);
  CHECK(collected.at("pgconn_pgbouncer_user_clients{batch}") == 1);
  CHECK(collected.at("pgconn_pgbouncer_user_clients_max{batch}") == 5);
  CHECK(collected.samples.size() == 4);
  const Rows old({"name", "pool_mode"}, {"app", kNull});
  CHECK(collect(pooler_users_collector(), answered(pooler_users_reading(), old)).samples.empty());
}

TEST_CASE("The console says what it is, and nothing else is believed to be one") {
  const auto facts = [](const Rows& rows) {
    return pgbouncer_kind().facts(answered(pooler_version_reading(), rows), {});
  };
  const auto known = facts(Rows({"version"}, {"PgBouncer 1.26.1"}));
  REQUIRE(known);
  CHECK(known->version == "1.26.1");
  CHECK(role_name(*known).empty());
  CHECK_FALSE(facts(Rows({"version"}, {})));
  CHECK_THROWS(facts(Rows({"version"}, {"PostgreSQL 17"})));
  CHECK_THROWS(facts(Rows({"version"}, {kNull})));
  CHECK_THROWS(facts(Rows({"one", "two"}, {"1", "2"})));
}
