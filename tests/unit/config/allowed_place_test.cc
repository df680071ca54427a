#include "config/allowed_place.h"

#include "tests/support/catch.h"

namespace pgconn::config {
namespace {

bool covers(std::string_view pattern, std::string_view host, const std::string& address,
            int port = 5432) {
  const auto place = AllowedPlace::parse(pattern);
  REQUIRE(place);
  return place->covers(host, address, port);
}

TEST_CASE("A network is compared with the address, whatever the name") {
  CHECK(covers("10.20.0.0/16", "db.internal", "10.20.255.1"));
  CHECK_FALSE(covers("10.20.0.0/16", "db.internal", "10.21.0.1"));
  CHECK(covers("10.20.128.0/17", "x", "10.20.128.1"));
  CHECK_FALSE(covers("10.20.128.0/17", "x", "10.20.127.255"));
  CHECK(covers("0.0.0.0/0", "x", "203.0.113.9"));
  CHECK_FALSE(covers("0.0.0.0/0", "x", "2001:db8::1"));
  CHECK(covers("::/0", "x", "203.0.113.9"));
  CHECK(covers("2001:db8::/33", "x", "2001:db8:7fff::1"));
  CHECK_FALSE(covers("2001:db8::/33", "x", "2001:db8:8000::1"));
  CHECK(covers("192.0.2.7", "x", "192.0.2.7"));
  CHECK_FALSE(covers("192.0.2.7", "192.0.2.7", "192.0.2.8"));
}

TEST_CASE("An IPv4 address means the same in the notation of IPv6") {
  CHECK(covers("10.0.0.0/8", "x", "::ffff:10.1.2.3"));
  CHECK(covers("::ffff:10.0.0.0/104", "x", "10.1.2.3"));
  CHECK_FALSE(covers("10.0.0.0/8", "x", "::ffff:11.1.2.3"));
}

TEST_CASE("A name pattern is compared with the name, and its star stays within a label") {
  CHECK(covers("db.example.com", "DB.Example.com.", "192.0.2.1"));
  CHECK_FALSE(covers("db.example.com", "db.example.com.evil.net", "192.0.2.1"));
  CHECK(covers("*.db.internal", "orders-1.db.internal", "192.0.2.1"));
  CHECK_FALSE(covers("*.db.internal", "evil.net.db.internal", "192.0.2.1"));
  CHECK_FALSE(covers("*.db.internal", "db.internal", "192.0.2.1"));
  CHECK(covers("pg-*-ro.*.internal", "pg-7-ro.eu.internal", "192.0.2.1"));
  CHECK_FALSE(covers("pg-*-ro.*.internal", "pg-7-rw.eu.internal", "192.0.2.1"));
  CHECK_FALSE(covers("*", "192.0.2.1", "192.0.2.1"));  // an address is no name
  CHECK_FALSE(covers("*", "0x7f000001", "127.0.0.1"));
  CHECK_FALSE(covers("*", "", "127.0.0.1"));
}

TEST_CASE("A pattern with a port allows no other") {
  CHECK(covers("10.0.0.0/8:5433", "x", "10.1.1.1", 5433));
  CHECK_FALSE(covers("10.0.0.0/8:5433", "x", "10.1.1.1", 5432));
  CHECK(covers("[2001:db8::/32]:5433", "x", "2001:db8::1", 5433));
  CHECK_FALSE(covers("[2001:db8::/32]:5433", "x", "2001:db8::1", 5432));
  CHECK(covers("db.internal:6432", "db.internal", "192.0.2.1", 6432));
  CHECK_FALSE(covers("db.internal:6432", "db.internal", "192.0.2.1", 5432));
}

TEST_CASE("What is no pattern is refused") {
  for (const char* text : {"",
                           ":5432",
                           "10.0.0.0/33",
                           "10.0.0.0/-1",
                           "10.0.0.0/",
                           "10.0.0.0/8:0",
                           "10.0.0.0/8:x",
                           "10.0.0.*",
                           "db.*",
                           "db.int*",
                           "10.1",
                           "[::1",
                           "[::1]x",
                           "::1%eth0",
                           "2001:db8::/129",
                           "db..internal",
                           ".internal",
                           "db.internal.",
                           "db internal",
                           "db.internal:99999",
                           "/run/postgresql",
                           "db.internal/24"}) {
    INFO(text);
    CHECK_FALSE(AllowedPlace::parse(text));
  }
}

TEST_CASE("A long pattern of stars is matched in no time") {
  std::string pattern, name;
  for (int i = 0; i < 120; ++i) pattern += "*a";
  name.assign(250, 'a');
  CHECK(covers(pattern, name, "192.0.2.1"));
  CHECK_FALSE(covers(pattern + "b", name, "192.0.2.1"));
}

}  // namespace
}  // namespace pgconn::config
