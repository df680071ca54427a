// What no server writes: parsers are given logs that were damaged at random, cut at random.
#include <algorithm>
#include <random>
#include <string>

#include "sources/server_log/classify.h"
#include "sources/server_log/parser.h"
#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

const std::string kStderr =
    "2026-11-29 13:36:11.315 UTC [7] 40P01 me@db ERROR:  deadlock detected\n"
    "2026-11-29 13:36:11.315 UTC [7] 40P01 me@db DETAIL:  Process 1 waits\n\tand 2\n"
    "2026-11-29 13:36:11.315 UTC [8] 00000 me@db LOG:  disconnection: session time: 0:00:01.000 \n"
    "2026-11-29 13:36:11.315 UTC [8] 00000 LOG:  connection ready: setup total=1.000 ms, fork=2\n";
const std::string kCsv =
    "2026-11-29 13:36:11.493 "
    "UTC,\"me\",\"db\",15566,\"127.0.0.1:49074\",6b0c2a4b.3cce,3,\"SELECT\","
    "2026-11-29 13:36:11 UTC,3/3,0,ERROR,22012,\"division \"\"by\"\" zero\",,,,,,\"select\n1/0\",,,"
    "\"psql\",\"client backend\"\n";
const std::string kJson =
    R"({"timestamp":"2026-11-29 13:36:14.085 UTC","user":"m\"e","pid":15732,"error_severity":"FATAL",)"
    R"("state_code":"28000","message":"a \\ \u0001 b","statement":"{\"a\":1}","query_id":-5})"
    "\n";

// `text` a few times over, with bytes changed, left out, doubled and put in.
std::string damaged(const std::string& text, std::mt19937& random) {
  const std::string bytes("\",\n\t{}\\: \0\xff%0", 13);
  const auto below = [&random](std::size_t end) { return random() % end; };
  std::string result = text + text + text;
  for (std::size_t i = 0; i < 1 + below(8); ++i) {
    const std::size_t at = below(result.size());
    switch (below(4)) {
      case 0:
        result[at] = bytes[below(bytes.size())];
        break;
      case 1:
        result.erase(at, below(60));
        break;
      case 2:
        result.insert(at, 1, bytes[below(bytes.size())]);
        break;
      default:
        result.insert(at, result.substr(below(result.size()), below(80)));
    }
  }
  return result;
}

TEST_CASE("any bytes: no damage stops a parser, and what comes whole afterwards is read") {
  std::mt19937 random(7);
  const Prefix prefix("%m [%p] %e %q%u@%d ");
  for (const auto& [format, text] :
       {std::pair{Format::kStderr, kStderr}, std::pair{Format::kCsv, kCsv},
        std::pair{Format::kJson, kJson}}) {
    for (int round = 0; round < 3000; ++round) {
      const auto parser = make_parser(format, prefix);
      const std::string bytes = damaged(text, random);
      Collected collected;
      const Sink sink = [&](const Entry& entry) {
        collected.sink()(entry);
        classify(entry);
      };
      std::uint64_t taken = 0;
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t piece = 1 + random() % 100;
        parser->feed(std::string_view(bytes).substr(at, piece), sink);
        at += piece;
        taken = std::min<std::uint64_t>(at, bytes.size());
        REQUIRE(parser->pending() <= taken);
      }
      parser->finish(sink);
      REQUIRE(parser->pending() == 0);
      const std::size_t before = collected.entries.size();
      parser->feed(text, sink);
      parser->finish(sink);
      REQUIRE(collected.entries.size() == before + (format == Format::kStderr ? 3 : 1));
    }
  }
}

TEST_CASE("any bytes: who begins anew where another stopped finds the rest, and no fault twice") {
  std::mt19937 random(13);
  const Prefix prefix("%m [%p] %e %q%u@%d ");
  for (const auto& [format, text] :
       {std::pair{Format::kStderr, kStderr}, std::pair{Format::kCsv, kCsv},
        std::pair{Format::kJson, kJson}}) {
    for (int round = 0; round < 3000; ++round) {
      const std::string bytes = damaged(text, random);
      const std::size_t at = random() % bytes.size();
      Collected in_two;
      const auto first = make_parser(format, prefix);
      first->feed(std::string_view(bytes).substr(0, at), in_two.sink());
      const auto second = make_parser(format, prefix);
      second->feed(std::string_view(bytes).substr(at - first->pending()), in_two.sink());
      second->finish(in_two.sink());
      const auto one = make_parser(format, prefix);
      const Collected in_one = parse(*one, bytes, bytes.size());
      INFO(bytes << "\n-- at " << at);
      REQUIRE(in_two.messages() == in_one.messages());
      ParseFaults sum = first->faults();
      sum += second->faults();
      REQUIRE(sum == one->faults());
    }
  }
}

TEST_CASE("any bytes: prefixes of all kinds survive lines of all kinds") {
  std::mt19937 random(11);
  const std::string escapes = "audrhbpPtmniecslvxqQL%";
  for (int round = 0; round < 3000; ++round) {
    std::string pattern;
    for (std::size_t i = 0; i < random() % 8; ++i) {
      pattern += '%';
      if (random() % 4 == 0) pattern += std::to_string(static_cast<int>(random() % 41) - 20);
      pattern += escapes[random() % escapes.size()];
      if (random() % 2 == 0) pattern += " [|"[random() % 3];
    }
    const Prefix prefix(pattern);
    prefix.match(damaged(kStderr, random));
    CHECK_FALSE(prefix.match("").has_value());
  }
}

}  // namespace
}  // namespace pgconn::server_log
