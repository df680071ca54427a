#include "postgres/server_start.h"

#include "tests/support/catch.h"

using pgconn::postgres::crash_restart_time;

TEST_CASE("a checkpointer as old as its postmaster means no crash") {
  CHECK(crash_restart_time(1000, 1000.5) == 0);
  CHECK(crash_restart_time(1000, 1001.9) == 0);
}

TEST_CASE("a checkpointer younger than its postmaster shows when the crash was over") {
  CHECK(crash_restart_time(1000, 5000.25) == 5000.25);
}
