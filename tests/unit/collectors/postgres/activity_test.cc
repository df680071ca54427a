#include "collectors/postgres/activity.h"

#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

TEST_CASE("A group that may not be seen has no state and no times") {
  const auto rows = activity({{.state = kNull, .link = "unix/local"}});
  const SessionGroup group = read_activity(rows).at(0);
  CHECK(group.state.empty());
  CHECK_FALSE(group.transaction_age);
  CHECK(group.state_ages().empty());
  CHECK(group.lock_waiters().empty());
  CHECK(group.is_counted());
}

TEST_CASE("Only sessions of clients that are not ours are counted") {
  const auto rows = activity({{.application = "pgconn_exporter/collect"},
                              {.backend_type = "walwriter"},
                              {.application = kNull}});
  const auto groups = read_activity(rows);
  CHECK_FALSE(groups[0].is_counted());
  CHECK(groups[0].is_client());
  CHECK_FALSE(groups[1].is_counted());
  CHECK(groups[2].is_counted());
}

TEST_CASE("State ages have the resolution of the server and are never negative") {
  const auto rows = activity({{.state_ages = {0.25, 3600, -0.5}}});
  const auto ages = read_activity(rows).at(0).state_ages();
  REQUIRE(ages.size() == 3);
  CHECK(ages[0] == Approx(0.25));
  CHECK(ages[1] == Approx(3600));
  CHECK(ages[2] == 0);
}

TEST_CASE("Lock waiters carry their blockers, none of which may be left") {
  const auto rows = activity({{.lock_waiters = "12:1e-05;13:", .lock_waits = "12::7,0;13::?"}});
  const auto waiters = read_activity(rows).at(0).lock_waiters();
  REQUIRE(waiters.size() == 2);
  CHECK(waiters[0].pid == 12);
  CHECK(waiters[0].seconds == Approx(1e-5));
  CHECK(waiters[0].blockers == std::vector<std::int64_t>{7, 0});
  CHECK(waiters[1].pid == 13);
  CHECK_FALSE(waiters[1].seconds);
  CHECK(waiters[1].blockers.empty());
  CHECK(waiters[0].traced);
  CHECK_FALSE(waiters[1].traced);
}

TEST_CASE("Rows of another shape are refused") {
  CHECK_THROWS_AS(read_activity(settings({})), std::out_of_range);
  auto broken = activity({{.lock_waiters = "twelve:1"}});
  CHECK_THROWS(read_activity(broken).at(0).lock_waiters());
}
