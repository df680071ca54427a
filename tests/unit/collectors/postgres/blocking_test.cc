#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

Collected blocking(const std::vector<Group>& groups) {
  Readings readings;
  readings.put(activity_reading({}), activity(groups));
  return collect(blocking_collector(), readings);
}

}  // namespace

TEST_CASE("Without waiters each database with sessions says so") {
  const auto collected = blocking({{.pids = "{1}"}, {.database = "stock", .pids = "{2}"}});
  CHECK(collected.at("pgconn_blocked_sessions{shop}") == 0);
  CHECK(collected.at("pgconn_blocked_sessions{stock}") == 0);
  CHECK(collected.at("pgconn_blocking_chain_depth{}") == 0);
  CHECK(collected.at("pgconn_blocked_sessions_untraced{}") == 0);
  CHECK(collected.samples.size() == 4);
}

TEST_CASE("A chain of depth 3 behind an idle transaction is laid at its owner's door") {
  const auto collected =
      blocking({{.application = "report", .state = "idle in transaction", .pids = "{10,11}"},
                {.state = "active",
                 .sessions = 3,
                 .pids = "{20,21,22}",
                 .lock_waiters = "20:9.5;21:8;22:7",
                 .lock_waits = "20::10;21::20;22::21"}});
  CHECK(collected.at("pgconn_blocked_sessions{shop}") == 3);
  CHECK(collected.at("pgconn_blocked_oldest_seconds{shop}") == 9.5);
  CHECK(collected.at("pgconn_blocking_sessions{shop,app,report,idle in transaction}") == 1);
  CHECK(collected.count("pgconn_blocking_sessions") == 1);
  CHECK(collected.at("pgconn_blocked_by_idle_in_transaction{shop,app,report}") == 3);
  CHECK(collected.at("pgconn_blocking_chain_depth{}") == 3);
}

TEST_CASE("Where the server knows how long a session waits, that counts and not its statement") {
  const auto collected = blocking({{.state = "active", .pids = "{1}"},
                                   {.state = "active",
                                    .sessions = 2,
                                    .pids = "{2,3}",
                                    .lock_waiters = "2:900;3:7",
                                    .lock_waits = "2:4.5:1;3::1;77:800:"}});
  CHECK(collected.at("pgconn_blocked_oldest_seconds{shop}") == 7);
  const auto begun = blocking(
      {{.state = "active", .pids = "{2}", .lock_waiters = "2:900", .lock_waits = "2:-0.1:1"}});
  CHECK(begun.at("pgconn_blocked_oldest_seconds{shop}") == 0);
}

TEST_CASE("An active root blames nobody for idling, an aborted one does") {
  const auto active =
      blocking({{.state = "active", .pids = "{1}"},
                {.state = "active", .pids = "{2}", .lock_waiters = "2:1", .lock_waits = "2::1"}});
  CHECK(active.at("pgconn_blocking_sessions{shop,app,web,active}") == 1);
  CHECK(active.count("pgconn_blocked_by_idle_in_transaction") == 0);
  const auto aborted =
      blocking({{.state = "idle in transaction (aborted)", .pids = "{1}"},
                {.state = "active", .pids = "{2}", .lock_waiters = "2:1", .lock_waits = "2::1"}});
  CHECK(aborted.at("pgconn_blocked_by_idle_in_transaction{shop,app,web}") == 1);
}

TEST_CASE("A session behind two idle transactions of one owner counts once") {
  const auto collected =
      blocking({{.state = "idle in transaction", .sessions = 2, .pids = "{1,2}"},
                {.state = "active", .pids = "{3}", .lock_waiters = "3:1", .lock_waits = "3::1,2"}});
  CHECK(collected.at("pgconn_blocked_by_idle_in_transaction{shop,app,web}") == 1);
  CHECK(collected.at("pgconn_blocking_sessions{shop,app,web,idle in transaction}") == 2);
}

TEST_CASE("A prepared transaction is a root without an owner") {
  const auto collected =
      blocking({{.state = "active", .pids = "{3}", .lock_waiters = "3:1", .lock_waits = "3::0"}});
  CHECK(collected.at("pgconn_blocking_sessions{shop,,,prepared transaction}") == 1);
}

TEST_CASE("A backend that is no client's shows its kind") {
  const auto collected =
      blocking({{.role = kNull,
                 .application = "",
                 .backend_type = "autovacuum worker",
                 .state = "active",
                 .pids = "{1}"},
                {.state = "active", .pids = "{2}", .lock_waiters = "2:1", .lock_waits = "2::1"}});
  CHECK(collected.at("pgconn_blocking_sessions{shop,,autovacuum worker,active}") == 1);
}

TEST_CASE("Waiters that are no clients' or ours carry the chain but are not counted") {
  const auto collected =
      blocking({{.state = "idle in transaction", .pids = "{1}"},
                {.application = "pgconn_exporter/collect",
                 .state = "active",
                 .lock_waiters = "2:1",
                 .lock_waits = "2::1"},
                {.backend_type = "autovacuum worker",
                 .state = "active",
                 .lock_waiters = "3:1",
                 .lock_waits = "3::2"},
                {.state = "active", .lock_waiters = "4:1", .lock_waits = "4::3"}});
  CHECK(collected.at("pgconn_blocked_sessions{shop}") == 1);
  CHECK(collected.at("pgconn_blocked_by_idle_in_transaction{shop,app,web}") == 1);
  CHECK(collected.at("pgconn_blocking_chain_depth{}") == 3);
}

TEST_CASE("A deadlock not yet detected blocks all and has no root") {
  const auto collected = blocking({{.state = "active",
                                    .sessions = 2,
                                    .pids = "{1,2}",
                                    .lock_waiters = "1:1;2:1",
                                    .lock_waits = "1::2;2::1"}});
  CHECK(collected.at("pgconn_blocked_sessions{shop}") == 2);
  CHECK(collected.count("pgconn_blocking_sessions") == 0);
}

TEST_CASE("A blocker that has ended since is no root") {
  const auto collected =
      blocking({{.state = "active", .pids = "{2}", .lock_waiters = "2:1", .lock_waits = "2::99"}});
  CHECK(collected.at("pgconn_blocked_sessions{shop}") == 1);
  CHECK(collected.count("pgconn_blocking_sessions") == 0);
}

TEST_CASE("Waiters whose blockers were not asked for are counted, and blame nobody") {
  const auto collected = blocking({{.state = "idle in transaction", .pids = "{1}"},
                                   {.state = "active",
                                    .sessions = 2,
                                    .pids = "{2,3}",
                                    .lock_waiters = "2:9;3:8",
                                    .lock_waits = "2:9:1;3:8:?"}});
  CHECK(collected.at("pgconn_blocked_sessions{shop}") == 2);
  CHECK(collected.at("pgconn_blocked_sessions_untraced{}") == 1);
  CHECK(collected.at("pgconn_blocked_by_idle_in_transaction{shop,app,web}") == 1);
}
