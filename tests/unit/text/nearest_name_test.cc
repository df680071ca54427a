#include "text/nearest_name.h"

#include <string>

#include "tests/support/catch.h"

namespace pgconn::text {
namespace {

const std::vector<std::string_view> kNames = {"scrape_timeout", "lock_timeout", "dsn", "name"};

TEST_CASE("a misspelling gets the nearest name") {
  CHECK(nearest_name("scrape_timeuot", kNames) == "scrape_timeout");
  CHECK(nearest_name("scrapetimeout", kNames) == "scrape_timeout");
  CHECK(nearest_name("lock_timeouts", kNames) == "lock_timeout");
  CHECK(nearest_name("dns", kNames) == "dsn");
  CHECK(nearest_name("nam", kNames) == "name");
}

TEST_CASE("a word far from every name gets no suggestion") {
  CHECK(nearest_name("password", kNames) == std::nullopt);
  CHECK(nearest_name("xyz", kNames) == std::nullopt);
  CHECK(nearest_name("", kNames) == std::nullopt);
  CHECK(nearest_name(std::string(1000, 'n'), kNames) == std::nullopt);
  CHECK(nearest_name("name", {}) == std::nullopt);
}

}  // namespace
}  // namespace pgconn::text
