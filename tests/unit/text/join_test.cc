#include "text/join.h"

#include <array>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::text {
namespace {

TEST_CASE("names are joined with commas, or with what is asked for") {
  CHECK(joined(std::vector<std::string>{}).empty());
  CHECK(joined(std::vector<std::string>{"one"}) == "one");
  CHECK(joined(std::set<std::string_view>{"b", "a"}) == "a, b");
  CHECK(joined(std::array<const char*, 3>{"a", "b", "c"}, ":") == "a:b:c");
  CHECK(joined(std::map<std::string, int>{{"x", 1}, {"y", 2}} | std::views::keys) == "x, y");
}

TEST_CASE("an item without text has its place in the list") {
  CHECK(joined(std::vector<std::string>{"", "a", ""}) == ", a, ");
}

}  // namespace
}  // namespace pgconn::text
