#include "sources/server_log/csv_parser.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

using Strings = std::vector<std::string>;

// A record as PostgreSQL 13 writes it; `statement` and `message` are quoted as they are.
std::string record(const std::string& message, const std::string& statement = "",
                   const std::string& severity = "ERROR") {
  return "2026-11-29 13:36:11.493 UTC,\"me\",\"db\",15566,\"127.0.0.1:49074\",6b0c2a4b.3cce,3,"
         "\"SELECT\",2026-11-29 13:36:11 UTC,3/3,0," +
         severity + ",22012,\"" + message + "\",\"a detail\",,,,,\"" + statement +
         "\",,,\"psql\",\"client backend\"\n";
}

const std::string kServer =
    "2026-11-29 13:36:11.315 UTC,,,15555,,6b0c2a4b.3cc3,1,,2026-11-29 13:36:11 UTC,,0,LOG,00000,"
    "\"starting\",,,,,,,,,\"\",\"postmaster\",,0\n";

TEST_CASE("csv: records of 13 and of 14 and later are read, however they are cut into chunks") {
  const std::string text = record("role \"\"x\"\" is gone", "select\n1;\n\"\"a\"\",\n") + kServer;
  for (const std::size_t piece : {1, 2, 3, 50, 100000}) {
    INFO(piece);
    CsvParser it;
    const Collected collected = parse(it, text, piece);
    CHECK(collected.messages() == Strings{"role \"x\" is gone", "starting"});
    const Copied& first = collected.entries.at(0);
    CHECK(first.user == "me");
    CHECK(first.database == "db");
    CHECK(first.pid == 15566);
    CHECK(first.severity == Severity::kError);
    CHECK(first.sqlstate == "22012");
    CHECK(first.detail == "a detail");
    CHECK(first.backend_type == "client backend");
    CHECK(first.time.has_value());
    CHECK(collected.entries.at(1).user.empty());
    CHECK(collected.entries.at(1).has_user);
    CHECK(it.faults() == ParseFaults());
  }
}

TEST_CASE("csv: translated severities are known") {
  CsvParser it;
  CHECK(parse(it, record("x", "", "FEHLER"), 100).entries.at(0).severity == Severity::kError);
}

TEST_CASE("csv: what has not ended is pending, and torn if the file ends") {
  CsvParser it;
  Collected collected;
  const std::string whole = record("a");
  it.feed(whole + whole.substr(0, 30), collected.sink());
  CHECK(collected.entries.size() == 1);
  CHECK(it.pending() == 30);
  it.finish(collected.sink());
  CHECK(it.faults().torn == 1);
  CHECK(it.pending() == 0);
  it.feed(whole, collected.sink());
  CHECK(collected.entries.size() == 2);
}

TEST_CASE("csv: a record torn anywhere costs itself only, when the next begins a line") {
  const std::string whole = record("torn", "select\n1");
  for (std::size_t at = 1; at + 1 < whole.size(); ++at) {
    INFO(at);
    CsvParser it;
    const Collected collected =
        parse(it, record("a") + whole.substr(0, at) + "\n" + record("b") + record("c"), 64);
    const Strings messages = collected.messages();
    CHECK(messages.front() == "a");
    CHECK(messages.size() >= 3);
    CHECK(messages.back() == "c");
    CHECK(messages.at(messages.size() - 2) == "b");
    if (messages.size() == 3) CHECK(it.faults().torn >= 1);
  }
}

TEST_CASE("csv: a record torn anywhere with the next on its line costs the two of them only") {
  const std::string whole = record("torn", "select\n1");
  for (std::size_t at = 1; at + 1 < whole.size(); ++at) {
    INFO(at);
    CsvParser it;
    const Strings messages =
        parse(it,
              record("a") + whole.substr(0, at) + record("b", "x\ny") + record("c") + record("d"),
              64)
            .messages();
    REQUIRE(messages.size() >= 3);
    CHECK(messages.front() == "a");
    CHECK(messages.at(messages.size() - 2) == "c");
    CHECK(messages.back() == "d");
  }
}

TEST_CASE("csv: of a record of many megabytes the message counts, and what follows is whole") {
  std::string statement;
  for (int i = 0; i < 400'000; ++i) statement += "\"\"x\"\",\n 'y' ";
  CsvParser it;
  const Collected collected = parse(it, record("long", statement) + record("next"), 65536);
  CHECK(collected.messages() == Strings{"long", "next"});
  CHECK(it.faults().oversize == 1);
  CHECK(it.faults().torn == 0);
}

TEST_CASE("csv: NUL bytes and invalid UTF-8 are counted and survived") {
  CsvParser it;
  const Collected collected =
      parse(it, record(std::string("a\0b", 3)) + record("\xff") + record("c"), 100);
  CHECK(collected.entries.size() == 3);
  CHECK(it.faults().nul == 1);
  CHECK(it.faults().encoding == 1);
}

TEST_CASE("csv: lines of another format are told") {
  CsvParser it;
  Collected collected;
  for (int i = 0; i < 10; ++i) {
    it.feed("2026-11-29 13:36:11.315 UTC [7] LOG:  \"x\"\n", collected.sink());
  }
  CHECK_FALSE(it.misfit().empty());
  it.feed(record("a"), collected.sink());
  CHECK(it.misfit().empty());
  CHECK(collected.entries.size() == 1);
}

}  // namespace
}  // namespace pgconn::server_log
