#include "exporter/web/client_address.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

std::string group(const char* address) { return client_group(asio::ip::make_address(address)); }

TEST_CASE("an IPv4 address is one client, even where a socket of both families shows it") {
  CHECK(group("192.0.2.7") == "192.0.2.7");
  CHECK(group("::ffff:192.0.2.7") == "192.0.2.7");
  CHECK(group("192.0.2.8") != group("192.0.2.7"));
}

TEST_CASE("an IPv6 network of 64 bits is one client") {
  CHECK(group("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
  CHECK(group("2001:db8:1:2::9") == group("2001:db8:1:2:3:4:5:6"));
  CHECK(group("2001:db8:1:3::9") != group("2001:db8:1:2::9"));
}

}  // namespace
}  // namespace pgconn::exporter
