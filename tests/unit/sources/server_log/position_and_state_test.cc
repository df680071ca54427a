#include <string>

#include "sources/server_log/state_file.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::server_log {
namespace {

State some_state() {
  State state;
  state.server = "orders";
  state.history.at = TimePoint(std::chrono::milliseconds(1'795'959'371'315));
  state.history.positions = {
      {{7, 18446744073709551615U}, "/log/a\xff.log", 123456789012, {256, 99}}};
  state.totals = {{"event deadlock 40P01", 3}, {"session sum", 1.5}};
  return state;
}

TEST_CASE("state file: what was written is read again") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path("state");
  CHECK(write_state(path, some_state()).empty());
  const StateRead read = read_state(path, "orders");
  CHECK(read.problem.empty());
  REQUIRE(read.state.has_value());
  CHECK(read.state->history.at == some_state().history.at);
  CHECK(read.state->totals == some_state().totals);
  REQUIRE(read.state->history.positions.size() == 1);
  const Position& position = read.state->history.positions[0];
  CHECK(position.id == FileId{7, 18446744073709551615U});
  CHECK(position.offset == 123456789012);
  CHECK(position.print == Fingerprint{256, 99});
}

TEST_CASE("state file: none yet is no problem") {
  const test::TemporaryDirectory directory;
  const StateRead read = read_state(directory.path("state"), "orders");
  CHECK_FALSE(read.state.has_value());
  CHECK(read.problem.empty());
}

TEST_CASE("state file: another server's is told and not used") {
  const test::TemporaryDirectory directory;
  write_state(directory.path("state"), some_state());
  const StateRead read = read_state(directory.path("state"), "billing");
  CHECK_FALSE(read.state.has_value());
  CHECK(read.problem.find("another server") != std::string::npos);
}

TEST_CASE("state file: cut anywhere, or with anything in it, is damaged and nothing else") {
  const std::string whole = encode(some_state());
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
    INFO(at);
    CHECK_FALSE(decode(std::string_view(whole).substr(0, at)).has_value());
  }
  for (const std::string text :
       {"[]", "{}", "null", R"({"version":2})",
        R"({"version":1,"server":"x","at_milliseconds":1,"files":{},"totals":{}})",
        R"({"version":1,"server":"x","at_milliseconds":-1,"files":[],"totals":{}})",
        R"({"version":1,"server":"x","at_milliseconds":1,"files":[],"totals":{"a":-1}})",
        R"({"version":1,"server":"x","at_milliseconds":1,"files":[{"inode":1}],"totals":{}})"}) {
    INFO(text);
    CHECK_FALSE(decode(text).has_value());
  }
  const test::TemporaryDirectory directory;
  const StateRead read = read_state(directory.write("state", "garbage"), "orders");
  CHECK(read.problem.find("damaged") != std::string::npos);
}

TEST_CASE("state file: where it cannot be written is told, and the old one stays") {
  const test::TemporaryDirectory directory;
  CHECK(write_state(directory.path("no/such/state"), some_state()).find("No such file") !=
        std::string::npos);
  write_state(directory.path("state"), some_state());
  std::filesystem::create_directory(directory.path("state.new"));
  CHECK_FALSE(write_state(directory.path("state"), some_state()).empty());
  CHECK(read_state(directory.path("state"), "orders").state.has_value());
}

TEST_CASE("fingerprint: a file that has grown is the same, one that begins otherwise is not") {
  const std::string head(300, 'x');
  const Fingerprint small = fingerprint_of(head.substr(0, 100));
  CHECK(is_same_beginning(small, head));
  CHECK(is_same_beginning(Fingerprint{}, head));  // of an empty file
  CHECK_FALSE(is_same_beginning(small, "y" + head));
  CHECK_FALSE(is_same_beginning(small, head.substr(0, 99)));
  CHECK(fingerprint_of(head) == fingerprint_of(head.substr(0, kFingerprintBytes)));
}

}  // namespace
}  // namespace pgconn::server_log
