#include "text/times.h"

#include <limits>

#include "tests/support/catch.h"

namespace pgconn::text {
namespace {

using namespace std::chrono_literals;
using Moment = std::chrono::system_clock::time_point;

TEST_CASE("moments are exact to the millisecond, also before 1970") {
  CHECK(rfc3339(Moment(1700000000s + 7ms)) == "2023-11-14T22:13:20.007Z");
  CHECK(rfc3339(Moment(-1ms)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("durations are shown in the unit a person would use") {
  CHECK(spoken(-5ms) == "under 1 ms");
  CHECK(spoken(0ms) == "under 1 ms");
  CHECK(spoken(1ms) == "1 ms");
  CHECK(spoken(999ms) == "999 ms");
  CHECK(spoken(1000ms) == "1.0 s");
  CHECK(spoken(9999ms) == "9.9 s");
  CHECK(spoken(10s) == "10 s");
  CHECK(spoken(119s) == "119 s");
  CHECK(spoken(2min) == "2 min");
  CHECK(spoken(2h) == "2 h");
  CHECK(spoken(47h) == "47 h");
  CHECK(spoken(48h) == "2 days");
}

TEST_CASE("seconds that someone else computed may be any number") {
  CHECK(spoken_seconds(0.85) == "850 ms");
  CHECK(spoken_seconds(14 * 86400) == "14 days");
  CHECK(spoken_seconds(-1) == "under 1 ms");
  CHECK(spoken_seconds(std::numeric_limits<double>::infinity()) == "11574074 days");
  CHECK(spoken_seconds(std::numeric_limits<double>::quiet_NaN()) == "unknown");
}

}  // namespace
}  // namespace pgconn::text
