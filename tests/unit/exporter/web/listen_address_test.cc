#include "exporter/web/listen_address.h"

#include <cerrno>
#include <stdexcept>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

std::string rejection(const std::string& text) {
  try {
    parse_listen_address(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("a listen address is a port, alone or behind an IP address") {
  const ListenAddress any = parse_listen_address(":9716");
  CHECK(any.host.empty());
  CHECK(any.port == 9716);
  CHECK(any.text == ":9716");
  CHECK_FALSE(any.is_ipv6());

  const ListenAddress ipv4 = parse_listen_address("127.0.0.1:0");
  CHECK(ipv4.host == "127.0.0.1");
  CHECK(ipv4.port == 0);

  const ListenAddress ipv6 = parse_listen_address("[::1]:65535");
  CHECK(ipv6.host == "::1");
  CHECK(ipv6.port == 65535);
  CHECK(ipv6.is_ipv6());

  const ListenAddress local = parse_listen_address("localhost:9716");
  CHECK(local.host == "127.0.0.1");
  CHECK(local.text == "localhost:9716");
}

TEST_CASE("an invalid listen address is refused with the reason and what is allowed") {
  const std::string allowed = "; write :PORT, ADDRESS:PORT or [IPv6]:PORT";
  const auto [text, why] = GENERATE(table<std::string, std::string>({
      {"9716", "the port is missing"},
      {"", "the port is missing"},
      {":", "the port is not a number from 0 to 65535"},
      {":http", "the port is not a number from 0 to 65535"},
      {":65536", "the port is not a number from 0 to 65535"},
      {":-1", "the port is not a number from 0 to 65535"},
      {":9716s", "the port is not a number from 0 to 65535"},
      {": 9716", "the port is not a number from 0 to 65535"},
      {"::1:9716", "an IPv6 address needs brackets"},
      {"[127.0.0.1]:9716", "there is no IPv6 address in the brackets"},
      {"[]:9716", "there is no IPv6 address in the brackets"},
      {"[:9716", "the host is not an IP address"},
      {"256.0.0.1:9716", "the host is not an IP address"},
      {"127.0.0.1,:9716", "the host is not an IP address"},
      {"example.org:9716", "the host is not an IP address"},
  }));
  CHECK(rejection(text) == "\"" + text + "\" is not a listen address: " + why + allowed);
}

TEST_CASE("a failure to listen names the address, the reason and what to do") {
  const ListenAddress address = parse_listen_address("127.0.0.1:80");
  CHECK(listen_failure(address, EADDRINUSE, "") ==
        "cannot listen on 127.0.0.1:80: Address already in use; another process listens there; "
        "stop it or choose another address with --web.listen-address");
  CHECK(listen_failure(address, EACCES, "") ==
        "cannot listen on 127.0.0.1:80: Permission denied; this user may not use that port; "
        "choose one above 1023 with --web.listen-address");
  CHECK(listen_failure(address, 0, "civetweb's words") ==
        "cannot listen on 127.0.0.1:80: civetweb's words; "
        "choose another address with --web.listen-address");
}

}  // namespace
}  // namespace pgconn::exporter
