#include "collectors/postgres/setting_units.h"

#include "tests/support/catch.h"

using namespace pgconn::collectors;

TEST_CASE("A plain number is in the setting's own unit") {
  CHECK(parse_time("300000", "ms") == Approx(300));
  CHECK(parse_time("60", "s") == 60.0);
  CHECK(parse_time("0", "ms") == 0.0);
  CHECK(parse_time("-1", "s") == -1.0);
}

TEST_CASE("Every unit of time that PostgreSQL knows is read, with space around it") {
  CHECK(parse_time("5min", "ms") == Approx(300));
  CHECK(parse_time(" 30 s ", "ms") == Approx(30));
  CHECK(parse_time("250ms", "ms") == Approx(0.25));
  CHECK(parse_time("2h", "s") == 7200.0);
  CHECK(parse_time("1d", "ms") == Approx(86400));
  CHECK(parse_time("5000us", "ms") == Approx(0.005));
}

TEST_CASE("Fractions are taken and rounded to the setting's unit, as the server does") {
  CHECK(parse_time("1.5h", "s") == 5400.0);
  CHECK(parse_time("1.2ms", "ms") == Approx(0.001));
  CHECK(parse_time("1e3", "ms") == Approx(1));
  CHECK(parse_time("1400ms", "s") == 1.0);
}

TEST_CASE("C's notation of integers is the server's too") {
  CHECK(parse_time("0x10", "s") == 16.0);
  CHECK(parse_time("010", "s") == 8.0);
}

TEST_CASE("What is no time is not guessed at") {
  CHECK_FALSE(parse_time("", "ms"));
  CHECK_FALSE(parse_time("soon", "ms"));
  CHECK_FALSE(parse_time("5 minutes", "ms"));
  CHECK_FALSE(parse_time("5MB", "ms"));
  CHECK_FALSE(parse_time("5", "kB"));
}

TEST_CASE("Units of memory may count blocks") {
  CHECK(bytes_in("B") == 1.0);
  CHECK(bytes_in("kB") == 1024.0);
  CHECK(bytes_in("8kB") == 8192.0);
  CHECK(bytes_in("16MB") == 16777216.0);
  CHECK_FALSE(bytes_in("ms"));
  CHECK_FALSE(bytes_in(""));
}
