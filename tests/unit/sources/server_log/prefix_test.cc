#include "sources/server_log/prefix.h"

#include <stdexcept>
#include <string>

#include "sources/server_log/prefix_guess.h"
#include "tests/support/catch.h"

namespace pgconn::server_log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Head match(std::string_view pattern, std::string_view line) {
  const auto head = Prefix(pattern).match(line);
  INFO(pattern << " on " << line);
  REQUIRE(head.has_value());
  return *head;
}

bool fits(std::string_view pattern, std::string_view line) {
  return Prefix(pattern).match(line).has_value();
}

TEST_CASE("the default prefix tells time and process") {
  const Head head = match("%m [%p] ", "2026-11-29 13:36:11.315 UTC [15555] LOG:  hello");
  CHECK(head.pid == 15555);
  CHECK(head.time == TimePoint(seconds(1795959371)) + milliseconds(315));
  CHECK(head.heading.severity == Severity::kLog);
  CHECK(head.rest == "hello");
  CHECK_FALSE(head.user.has_value());
}

TEST_CASE("the prefix of the test servers tells SQLSTATE, user and database") {
  const std::string pattern = "%m [%p] %e %a %u@%d %h ";
  const Head session = match(pattern,
                             "2026-11-29 13:36:11.685 UTC [15572] 28000 [unknown] nobody1@postgres "
                             "127.0.0.1 FATAL:  role \"nobody1\" does not exist");
  CHECK(session.sqlstate == "28000");
  CHECK(session.user == "nobody1");
  CHECK(session.database == "postgres");
  CHECK(session.heading.severity == Severity::kFatal);
  const Head server =
      match(pattern, "2026-11-29 13:36:11.333 UTC [15555] 00000  @  LOG:  database system is");
  CHECK(server.user == "");
  CHECK(server.database == "");
}

TEST_CASE("a process without a session writes nothing of what follows %q") {
  const std::string pattern = "%t [%p] %q%u@%d ";
  const Head server = match(pattern, "2026-11-29 13:36:11 UTC [7] LOG:  a@b ERROR:  no");
  CHECK(server.user == "");
  CHECK(server.rest == "a@b ERROR:  no");
  CHECK(match(pattern, "2026-11-29 13:36:11 UTC [7] me@db LOG:  x").user == "me");
}

TEST_CASE("every escape of PostgreSQL 13 to 19 is read") {
  const Head head =
      match("%a|%u|%d|%r|%h|%b|%p|%P|%t|%m|%n|%i|%e|%c|%l|%s|%v|%x|%Q|%L|%% ",
            "psql|me|db|10.0.0.1(5432)|10.0.0.1|client backend|42||2026-11-29 13:36:11 UTC|"
            "2026-11-29 13:36:11.315 UTC|1795959371.315|SELECT|22012|6b0c2a4b.2a|3|"
            "2026-11-29 13:36:11 UTC|3/3|0|-42|10.0.0.9|% ERROR:  division by zero");
  CHECK(head.user == "me");
  CHECK(head.database == "db");
  CHECK(head.pid == 42);
  CHECK(head.sqlstate == "22012");
  CHECK(head.backend_type == "client backend");
  CHECK(head.time == TimePoint(seconds(1795959371)) + milliseconds(315));
  CHECK(head.rest == "division by zero");
}

TEST_CASE("padding on either side is taken off") {
  CHECK(match("%8p %-10u|%e ", "      42 me        |57P01 FATAL:  x").pid == 42);
  CHECK(match("%8p %-10u|%e ", "      42 me        |57P01 FATAL:  x").user == "me");
  CHECK(match("%10u|%d ", "        me|db LOG:  x").user == "me");
  CHECK(match("%-6p|", "42    |LOG:  x").pid == 42);
  CHECK(match("%6v|%p ", "      |42 LOG:  x").pid == 42);
  CHECK(match("%2p|", "12345|LOG:  x").pid == 12345);
  CHECK_FALSE(fits("%8p|", "42|LOG:  x"));
}

TEST_CASE("names may hold what the prefix holds too") {
  const std::string pattern = "%m [%p] %q%a %u@%d ";
  const std::string before = "2026-11-29 13:36:11.315 UTC [7] ";
  CHECK(match(pattern, before + "my app [7] me@db LOG:  x").user == "me");
  CHECK(match(pattern, before + "mail@host me@db LOG:  x").database == "db");
  CHECK(match("user=%u,db=%d,app=%a ", "user=a,b,db=c,app=x y LOG:  z").user == "a,b");
}

TEST_CASE("the process number is told by %c as well") {
  CHECK(match("%c ", "6b0c2a4b.3cc3 LOG:  x").pid == 0x3cc3);
}

TEST_CASE("headings are known in other languages") {
  const std::string pattern = "%m [%p] %e ";
  const std::string before = "2026-11-29 13:36:11.315 CET [7] 57P01 ";
  CHECK(match(pattern, before + "FATAL:  Verbindung wird abgebrochen").heading.severity ==
        Severity::kFatal);
  CHECK(match(pattern, before + "FEHLER:  x").heading.severity == Severity::kError);
  CHECK(match(pattern, before + "ВАЖНО:  x").heading.severity == Severity::kFatal);
  CHECK(match(pattern, before + "错误:  x").heading.severity == Severity::kError);
  CHECK(match(pattern, before + "DÉTAIL:  x").heading.part == Heading::Part::kDetail);
  CHECK(match(pattern, before + "ASTUCE :  x").heading.part == Heading::Part::kOther);
  CHECK(match(pattern, before + "ZUSAMMENHANG:  x").heading.part == Heading::Part::kOther);
  CHECK(match(pattern, before + "XYZZY:  x").heading.severity == Severity::kUnknown);
  CHECK_FALSE(fits("%m [%p] ", "2026-11-29 13:36:11.315 CET [7] XYZZY:  x"));
}

TEST_CASE("time zones are numbers, UTC or PostgreSQL's own abbreviations") {
  const auto time = [](const std::string& zone) {
    return match("%t ", "2026-11-29 13:36:11 " + zone + " LOG:  x").time;
  };
  const TimePoint utc(seconds(1795959371));
  CHECK(time("UTC") == utc);
  CHECK(time("CET") == utc - std::chrono::hours(1));
  CHECK(time("-0330") == utc + std::chrono::minutes(210));
  CHECK(time("+05") == utc - std::chrono::hours(5));
  CHECK_FALSE(time("XYZT").has_value());
}

TEST_CASE("lines that do not begin with the prefix do not fit") {
  const std::string pattern = "%m [%p] ";
  for (const std::string line :
       {"", "LOG:  x", "2026-11-29 13:36:11.315 UTC [x] LOG:  x", "2026-11-29 13:36:11.315 UTC [7]",
        "2026-13-29 13:36:11.315 UTC [7] LOG:  x", "cp: cannot stat 'x'", "\tgoes on",
        "2026-11-29 13:36:11.315 UTC [7] hello",
        "2026-11-29 13:36:11.315 UTC [7] LOG: one space"}) {
    INFO(line);
    CHECK_FALSE(fits(pattern, line));
  }
}

TEST_CASE("a year beyond what a time can hold has no time, and does no harm") {
  CHECK_FALSE(match("%t ", "9999-11-29 13:36:11 UTC LOG:  x").time.has_value());
  CHECK_FALSE(match("%n ", "99999999999.000 LOG:  x").time.has_value());
}

TEST_CASE("patterns that are none are refused with what is wrong") {
  CHECK_THROWS_AS(Prefix("%m [%y] "), std::invalid_argument);
  CHECK_THROWS_WITH(Prefix("%m [%y] "), "%y is no escape of log_line_prefix");
  CHECK_THROWS_AS(Prefix("%9999p"), std::invalid_argument);
  CHECK_THROWS_AS(Prefix(std::string(1001, 'x')), std::invalid_argument);
  CHECK_NOTHROW(Prefix("%m %"));
  CHECK_NOTHROW(Prefix(""));
}

TEST_CASE("a prefix made to be hard costs a bounded number of tries") {
  const Prefix hard("%a%a%a%a%a%u%u%u ");
  CHECK_FALSE(hard.match(std::string(5000, 'a')).has_value());
}

TEST_CASE("the prefix that fits is guessed from lines") {
  const auto guess = [](std::vector<std::string> lines) {
    return guess_prefix(lines).value_or("(none)");
  };
  CHECK(guess({"2026-11-29 13:36:11.315 UTC [7] LOG:  x", "\tgoes on",
               "2026-11-29 13:36:11.315 UTC [8] ERROR:  y"}) == "%m [%p] ");
  CHECK(guess({"2026-11-29 13:36:11 UTC:127.0.0.1(50000):me@db:[7]:LOG:  x"}) ==
        "%t:%r:%u@%d:[%p]:");
  CHECK(guess({"2026-11-29 13:36:11.315 UTC [7] me@db LOG:  x"}) == "%m [%p] %q%u@%d ");
  CHECK(guess({"pid=77 at 2026-11-29 13:36:11.315 UTC user=me;db=x state=00000: LOG:  x"}) !=
        "(none)");
  CHECK(guess({"nothing of the kind"}) == "(none)");
}

TEST_CASE("what is told about lines that do not fit holds nothing of them") {
  const std::vector<std::string> lines = {"secret words", "more secret words"};
  CHECK(describe_guess(lines).find("secret") == std::string::npos);
  const std::vector<std::string> csv = {
      "2026-11-29 13:36:11.493 "
      "UTC,\"me\",\"db\",15566,\"127.0.0.1:49074\",6b0c2a4b.3cce,3,\"SELECT\","
      "2026-11-29 13:36:11 UTC,3/3,0,ERROR,22012,\"division by zero\",,,,,,\"select "
      "1/0\",,,\"psql\","
      "\"client backend\""};
  CHECK(describe_guess(csv).find(".csv") != std::string::npos);
}

}  // namespace
}  // namespace pgconn::server_log
