#include "text/words.h"

#include "tests/support/catch.h"

using pgconn::text::take_line;
using pgconn::text::words;
using Words = std::vector<std::string_view>;

TEST_CASE("words are what stands between spaces, tabs and newlines") {
  CHECK(words("") == Words{});
  CHECK(words(" \t\n") == Words{});
  CHECK(words("MemTotal:  24683572 kB\n") == Words{"MemTotal:", "24683572", "kB"});
}

TEST_CASE("lines are taken one after the other, the last with or without its newline") {
  std::string_view text = "one\n\ntwo";
  CHECK(take_line(text) == "one");
  CHECK(take_line(text).empty());
  CHECK(take_line(text) == "two");
  CHECK(text.empty());
  CHECK(take_line(text).empty());
}
