#include "probes/drops/server_marks.h"

#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

ServerMarks marks(std::optional<double> start, std::optional<double> crash_restart) {
  return {start, crash_restart, std::nullopt, std::nullopt};
}

TEST_CASE("a check that does not see the crash restart keeps what is known about it") {
  CHECK(learned(marks(1000, 0), marks(1000, std::nullopt)).crash_restart_time == 0.0);
  CHECK(learned(marks(1000, 1500), marks(1000, std::nullopt)).crash_restart_time == 1500.0);
  CHECK(learned(marks(1000, 0), marks(1000, 1500)).crash_restart_time == 1500.0);
}

TEST_CASE("what is known about another start says nothing about this one") {
  CHECK_FALSE(learned(marks(1000, 1500), marks(2000, std::nullopt)).crash_restart_time);
  CHECK(learned(marks(1000, 1500), marks(2000, std::nullopt)).start_time == 2000.0);
}

}  // namespace
}  // namespace pgconn::probes
