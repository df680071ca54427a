#include "metrics/text_format.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>

#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

std::string bound(double value) {
  std::string out;
  append_canonical_bound(out, value);
  return out;
}

TEST_CASE("integers are written in full as long as doubles hold them exactly") {
  CHECK(number(0) == "0");
  CHECK(number(-0.0) == "0");
  CHECK(number(-17) == "-17");
  CHECK(number(1e6) == "1000000");
  CHECK(number(1700000000) == "1700000000");
  CHECK(number(9007199254740992.0) == "9007199254740992");
  CHECK(number(-9007199254740992.0) == "-9007199254740992");
  CHECK(number(1e300) == "1e+300");
}

TEST_CASE("fractions take the shortest text") {
  CHECK(number(0.1) == "0.1");
  CHECK(number(-2.5) == "-2.5");
  CHECK(number(1700000000.123) == "1700000000.123");
  CHECK(number(5e-324) == "5e-324");
}

TEST_CASE("a number that is not finite is spelled as Prometheus reads it") {
  CHECK(number(kNaN) == "NaN");
  CHECK(number(-kNaN) == "NaN");
  CHECK(number(kInfinity) == "+Inf");
  CHECK(number(-kInfinity) == "-Inf");
}

TEST_CASE("every double reads back as itself") {
  std::mt19937_64 random(3);
  int wrong = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    if (std::strtod(number(value).c_str(), nullptr) != value) ++wrong;
    if (std::strtod(bound(value).c_str(), nullptr) != value) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("counts up to the largest are written in full") {
  std::string out;
  append_number(out, std::numeric_limits<std::uint64_t>::max());
  CHECK(out == "18446744073709551615");
}

// The examples of the OpenMetrics specification, section "Canonical Numbers".
TEST_CASE("bounds are canonical numbers") {
  for (const char* text :
       {"0.0", "0.001", "0.002", "0.01", "0.1", "0.9", "0.95", "0.99", "0.999", "1.0", "1.7",
        "10.0", "1e-10", "1e-09", "1e-05", "0.0001", "100000.0", "1e+06", "1e+10"}) {
    CHECK(bound(std::strtod(text, nullptr)) == text);
  }
  CHECK(bound(kInfinity) == "+Inf");
  CHECK(bound(123456.5) == "123456.5");
  CHECK(bound(1234567) == "1.234567e+06");
}

TEST_CASE("escaping appends, and touches nothing but the three characters") {
  std::string out = "x";
  append_escaped(out, "a\\\\b\"\n\tc\r");
  CHECK(out == "xa\\\\\\\\b\\\"\\n\tc\r");
  out.clear();
  append_escaped_text_help(out, "a\\\"\n");
  CHECK(out == "a\\\\\"\\n");
}

}  // namespace
}  // namespace pgconn::metrics
