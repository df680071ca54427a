#include "collectors/postgres/readings.h"

#include "collectors/postgres/activity.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;
using pgconn::postgres::Rows;

namespace {

int times_parsed = 0;

std::size_t count_rows(const Rows& rows) {
  ++times_parsed;
  return rows.size();
}

}  // namespace

TEST_CASE("What several collectors make of the same rows is made once, and anew for new rows") {
  const Reading& reading = activity_reading({});
  Readings readings;
  readings.put(reading, activity({{}, {}}));
  times_parsed = 0;
  CHECK(readings.parsed(reading, count_rows) == 2);
  CHECK(readings.parsed(reading, count_rows) == 2);
  CHECK(times_parsed == 1);
  readings.put(reading, activity({{}}));
  CHECK(readings.parsed(reading, count_rows) == 1);
  CHECK(times_parsed == 2);
}

TEST_CASE("A copy of answers keeps no view into the rows of the other") {
  Readings copy;
  {
    Readings readings;
    readings.put(activity_reading({}),
                 activity({{.database = "a rather long name of a database"}}));
    activity_of(readings, {});
    copy = readings;
  }
  CHECK(activity_of(copy, {}).at(0).database == "a rather long name of a database");
  const Readings moved = std::move(copy);
  CHECK(activity_of(moved, {}).at(0).database == "a rather long name of a database");
}

TEST_CASE("Of an answer that did not come nothing is made") {
  const Readings readings;
  CHECK_THROWS_AS(activity_of(readings, {}), pgconn::postgres::PgError);
}
