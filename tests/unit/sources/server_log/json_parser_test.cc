#include "sources/server_log/json_parser.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

using Strings = std::vector<std::string>;

std::string object(const std::string& message, const std::string& rest = "") {
  return R"({"timestamp":"2026-11-29 13:36:14.085 UTC","user":"me","dbname":"db","pid":15732,)"
         R"("remote_host":"127.0.0.1","remote_port":42660,"line_num":4,"ps":"startup","txid":0,)"
         R"("error_severity":"FATAL","state_code":"28000","message":")" +
         message + "\"" + rest + R"(,"backend_type":"client backend","query_id":-5})" + "\n";
}

TEST_CASE("json: objects are read, however they are cut into chunks") {
  const std::string text =
      object(R"(role \"x\" is \\ gone\n\tthere)", R"(,"detail":"why","statement":"{\"a\":1}")") +
      R"({"timestamp":"2026-11-29 13:36:14.146 UTC","pid":7,"error_severity":"LOG","message":"x"})" +
      "\n";
  for (const std::size_t piece : {1, 2, 3, 50, 100000}) {
    INFO(piece);
    JsonParser it;
    const Collected collected = parse(it, text, piece);
    CHECK(collected.messages() == Strings{"role \"x\" is \\ gone  there", "x"});
    const Copied& first = collected.entries.at(0);
    CHECK(first.user == "me");
    CHECK(first.database == "db");
    CHECK(first.pid == 15732);
    CHECK(first.severity == Severity::kFatal);
    CHECK(first.sqlstate == "28000");
    CHECK(first.detail == "why");
    CHECK(first.backend_type == "client backend");
    CHECK(collected.entries.at(1).sqlstate == "00000");
    CHECK(collected.entries.at(1).user.empty());
    CHECK(it.faults() == ParseFaults());
  }
}

TEST_CASE("json: an object torn anywhere costs itself only, on a line of its own or not") {
  const std::string whole = object("torn");
  for (std::size_t at = 1; at + 2 < whole.size(); ++at) {
    for (const std::string end : {"\n", ""}) {
      INFO(at);
      JsonParser it;
      const Collected collected =
          parse(it, object("a") + whole.substr(0, at) + end + object("b"), 64);
      CHECK(collected.messages() == Strings{"a", "b"});
      CHECK(it.faults().torn == 1);
    }
  }
}

TEST_CASE("json: of an object of many megabytes the message counts, and what follows is whole") {
  JsonParser it;
  const std::string statement = R"(,"statement":")" + std::string(5 << 20, 'x') + "\"";
  const Collected collected = parse(it, object("long", statement) + object("next"), 65536);
  CHECK(collected.messages() == Strings{"long", "next"});
  CHECK(it.faults().oversize == 1);
  CHECK(it.faults().torn == 0);
}

TEST_CASE("json: NUL bytes and invalid UTF-8 are counted and survived") {
  JsonParser it;
  const Collected collected =
      parse(it, object(std::string("a\0b", 3)) + object("\xff") + object("c"), 100);
  CHECK(collected.entries.size() == 3);
  CHECK(it.faults().nul == 1);
  CHECK(it.faults().encoding == 1);
}

TEST_CASE("json: what is no object of a log is counted and told") {
  JsonParser it;
  Collected collected;
  for (const std::string line :
       {"", "{", "{}", "[1]", "{\"timestamp\":7}", "{\"pid\":\"x\"}", "null", "LOG:  x",
        R"({"timestamp":"2026-11-29 13:36:14.146 UTC"})", "\"\\"}) {
    it.feed(line + "\n", collected.sink());
  }
  CHECK(collected.entries.empty());
  CHECK(it.faults().torn == 10);
  CHECK_FALSE(it.misfit().empty());
}

}  // namespace
}  // namespace pgconn::server_log
