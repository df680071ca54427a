#include "collectors/pgbouncer/pools.h"

#include "tests/unit/collectors/pgbouncer/console_answers.h"

using namespace pgconn::collectors;
using pgconn::postgres::Rows;

namespace {

Collected pools(const Rows& rows) {
  return collect(pools_collector(), answered(pooler_pools_reading(), rows));
}

}  // namespace

TEST_CASE("Each pool but the console's own is shown with its clients, servers and longest wait") {
  const Collected collected = pools(Rows(pool_columns(), pool_cells()));
  CHECK(collected.at("pgconn_pgbouncer_pool_clients{shop,app,active}") == 5);
  CHECK(collected.at("pgconn_pgbouncer_pool_clients{shop,app,waiting}") == 4);
  CHECK(collected.at("pgconn_pgbouncer_pool_clients{shop,app,active_cancel_req}") == 1);
  CHECK(collected.at("pgconn_pgbouncer_pool_clients{shop,app,waiting_cancel_req}") == 2);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,active}") == 3);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,active_cancel}") == 6);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,being_canceled}") == 7);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,idle}") == 8);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,used}") == 9);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,tested}") == 10);
  CHECK(collected.at("pgconn_pgbouncer_pool_servers{shop,app,login}") == 11);
  CHECK(collected.at("pgconn_pgbouncer_pool_wait_seconds{shop,app}") == 3.25);
  CHECK(collected.samples.size() == 12);
}

TEST_CASE("A column that a version lacks, or a NULL, is no sample") {
  const Collected collected =
      pools(Rows({"database", "user", "cl_active", "maxwait"}, {"shop", "app", "5", kNull}));
  CHECK(collected.at("pgconn_pgbouncer_pool_clients{shop,app,active}") == 5);
  CHECK(collected.samples.size() == 1);
}

TEST_CASE("A column that nobody knows yet is told, and the rest is shown") {
  Columns columns = pool_columns();
  columns.emplace_back("cl_dreaming");
  Cells cells = pool_cells();
  cells.insert(cells.begin() + 16, "1");
  cells.emplace_back("1");
  const Readings readings = answered(pooler_pools_reading(), Rows(columns, cells));
  CHECK(strange(pools_collector(), readings) ==
        "SHOW POOLS has columns that this exporter does not know: cl_dreaming");
  CHECK(pools(Rows(columns, cells)).samples.size() == 12);
  CHECK_FALSE(strange(pools_collector(),
                      answered(pooler_pools_reading(), Rows(pool_columns(), pool_cells()))));
}

TEST_CASE("What is told of columns is bounded, whatever they are called") {
  Columns columns = {"database"};
  Cells cells = {"shop"};
  for (int i = 0; i < 1000; ++i) {
    columns.push_back(std::to_string(i) + std::string(10'000, 'x'));
    cells.emplace_back("1");
  }
  const auto told =
      strange(pools_collector(), answered(pooler_pools_reading(), Rows(columns, cells)));
  REQUIRE(told);
  CHECK(told->size() < 1000);
}

TEST_CASE("An answer that is not one to SHOW POOLS fails the collector and nothing else") {
  CHECK_THROWS(pools(Rows({"list", "items"}, {"pools", "1"})));
  CHECK_THROWS(pools(Rows({"database", "user", "cl_active"}, {"shop", "app", "many"})));
}

TEST_CASE("Waits are read with the queue's length, without the console's own pool") {
  const auto waits = pool_waits(Rows(pool_columns(), pool_cells()));
  REQUIRE(waits.size() == 1);
  CHECK(waits[0].database == "shop");
  CHECK(waits[0].user == "app");
  CHECK(waits[0].seconds == 3.25);
  CHECK(waits[0].waiting == 4);
}
