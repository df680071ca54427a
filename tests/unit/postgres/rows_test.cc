#include "postgres/rows.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

TEST_CASE("rows are read by row and by the position of a named column") {
  const Rows rows({"state", "count"}, {Cell("idle"), Cell("3"), Cell("active"), Cell("1")});
  CHECK(rows.size() == 2);
  CHECK_FALSE(rows.empty());
  CHECK(rows.at(1, rows.column("state")) == Cell("active"));
  CHECK(rows.at(0, rows.column("count")) == Cell("3"));
}

TEST_CASE("an answer without rows keeps its columns") {
  const Rows rows({"state"}, {});
  CHECK(rows.size() == 0);
  CHECK(rows.empty());
  CHECK(rows.column("state") == 0);
}

TEST_CASE("an answer without columns has no rows") {
  CHECK(Rows().size() == 0);
  CHECK(Rows({}, {}).empty());
}

TEST_CASE("cells that do not fill whole rows are refused") {
  CHECK_THROWS_AS(Rows({"a", "b"}, {Cell("1"), Cell("2"), Cell("3")}), std::invalid_argument);
  CHECK_THROWS_AS(Rows({}, {Cell("1")}), std::invalid_argument);
}

TEST_CASE("a column that is not there is named in the error") {
  const Rows rows({"state"}, {});
  std::string message;
  try {
    rows.column("stat");
  } catch (const std::out_of_range& error) {
    message = error.what();
  }
  CHECK(message == "the answer has no column \"stat\"");
}

TEST_CASE("NULL is no value, whatever is read from it") {
  const Cell null;
  CHECK_FALSE(number(null));
  CHECK_FALSE(integer(null));
  CHECK_FALSE(boolean(null));
  CHECK(integers(null).empty());
  CHECK(text_or(null, "none") == "none");
}

TEST_CASE("an empty text is not NULL") {
  CHECK(text_or(Cell(""), "none").empty());
  CHECK_THROWS_AS(number(Cell("")), std::invalid_argument);
  CHECK_THROWS_AS(integer(Cell("")), std::invalid_argument);
  CHECK_THROWS_AS(boolean(Cell("")), std::invalid_argument);
  CHECK_THROWS_AS(integers(Cell("")), std::invalid_argument);
}

TEST_CASE("numbers are read as PostgreSQL writes them") {
  CHECK(number(Cell("0")) == 0.0);
  CHECK(number(Cell("-1.5")) == -1.5);
  CHECK(number(Cell("1e+20")) == 1e20);
  CHECK(number(Cell("2.5e-07")) == 2.5e-7);
  CHECK(number(Cell("Infinity")) == std::numeric_limits<double>::infinity());
  CHECK(number(Cell("-Infinity")) == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(number(Cell("NaN")).value()));
  CHECK(integer(Cell("-9223372036854775808")) == std::numeric_limits<std::int64_t>::min());
  CHECK(integer(Cell("9223372036854775807")) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("text that is no number is refused and quoted") {
  for (const char* text : {"abc", "1 ", " 1", "1x", "0x10", "1,5", "--1"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH(number(Cell(text)), "not a number: \"" + std::string(text) + "\"");
    CHECK_THROWS_AS(integer(Cell(text)), std::invalid_argument);
  }
  CHECK_THROWS_AS(integer(Cell("1.5")), std::invalid_argument);
  CHECK_THROWS_AS(integer(Cell("9223372036854775808")), std::invalid_argument);
}

TEST_CASE("booleans are t and f and nothing else") {
  CHECK(boolean(Cell("t")) == true);
  CHECK(boolean(Cell("f")) == false);
  CHECK_THROWS_AS(boolean(Cell("true")), std::invalid_argument);
  CHECK_THROWS_AS(boolean(Cell("T")), std::invalid_argument);
}

TEST_CASE("an array of numbers leaves its NULL elements out") {
  using Numbers = std::vector<std::int64_t>;
  CHECK(integers(Cell("{}")).empty());
  CHECK(integers(Cell("{7}")) == Numbers{7});
  CHECK(integers(Cell("{1,NULL,-3}")) == Numbers{1, -3});
  CHECK(integers(Cell("{NULL}")).empty());
}

TEST_CASE("what is no array of numbers is refused") {
  for (const char* text :
       {"{", "1,2", "{1,2", "1}", "{a}", "{1,}", "{,1}", "{1,,2}", "{{1},{2}}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(integers(Cell(text)), std::invalid_argument);
  }
}

}  // namespace
}  // namespace pgconn::postgres
