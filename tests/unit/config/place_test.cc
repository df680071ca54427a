#include "config/place.h"

#include "tests/support/catch.h"

namespace pgconn::config {
namespace {

TEST_CASE("A place is a host with or without port and database") {
  const auto plain = parse_place("db.internal");
  REQUIRE(plain);
  CHECK(plain->host == "db.internal");
  CHECK(plain->port == 5432);
  CHECK(plain->database.empty());
  const auto whole = parse_place("192.0.2.1:6432/app/1");
  REQUIRE(whole);
  CHECK(whole->host == "192.0.2.1");
  CHECK(whole->port == 6432);
  CHECK(whole->database == "app/1");
  CHECK(parse_place("[2001:db8::1]:6432")->host == "2001:db8::1");
  CHECK(parse_place("[2001:db8::1]:6432")->port == 6432);
  CHECK(parse_place("2001:db8::1/app")->host == "2001:db8::1");
}

TEST_CASE("Anything else is no place") {
  for (const char* text :
       {"",       "/",       "/run/postgresql", "@abstract", ":5432",     "a:",
        "a:0",    "a:65536", "a:5432x",         "a/",        "a b",       "a,b",
        "a=b",    "a'b",     "user@a",          "[::1",      "[::1]5432", "[a]:1",
        "::1%lo", "1:2:3",   "a/new\nline",     "a/\x7F",    "a/\xFF"}) {
    INFO(text);
    CHECK_FALSE(parse_place(text));
  }
  CHECK_FALSE(parse_place(std::string(254, 'a')));
  CHECK_FALSE(parse_place("a/" + std::string(64, 'd')));
  CHECK_FALSE(parse_place(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace pgconn::config
