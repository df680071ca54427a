#include "exporter/web/request_head.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

TEST_CASE("a head is complete at its empty line, in whatever pieces it comes, and ends there") {
  const std::string head = GENERATE("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.0\n\n");
  RequestHead bytewise;
  for (std::size_t i = 0; i < head.size(); ++i) {
    CHECK(bytewise.add(head.substr(i, 1)) == (i + 1 < head.size()));
  }
  CHECK(bytewise.bytes() == head);
  RequestHead with_body;
  CHECK_FALSE(with_body.add(head + "a body"));
  CHECK(with_body.bytes() == head);
}

TEST_CASE("no more is read of a head that is too large or has a control character") {
  RequestHead large;
  CHECK(large.add(std::string(kMostHeadBytes - 1, 'x')));
  CHECK_FALSE(large.add(std::string(1000, 'x')));
  CHECK(large.bytes().size() == kMostHeadBytes);
  for (const char c : {'\0', '\x16', '\t', '\x7f'}) {
    RequestHead binary;
    CHECK_FALSE(binary.add(std::string("GET ") + c + "/"));
  }
  RequestHead foreign;
  CHECK(foreign.add("GET /\xc3\xa4 HTTP/1.1\r\n"));
}

TEST_CASE("targets are brought into the form that the HTTP server understands") {
  const auto [sent, understood] = GENERATE(table<std::string, std::string>({
      {"GET / HTTP/1.1", "GET / HTTP/1.1"},
      {"OPTIONS * HTTP/1.1", "OPTIONS / HTTP/1.1"},
      {"GET * HTTP/1.1", "GET /* HTTP/1.1"},
      {"GET http://other:1/metrics?a=b HTTP/1.1", "GET /metrics?a=b HTTP/1.1"},
      {"GET HTTPS://[::1]:1/ HTTP/1.0", "GET / HTTP/1.0"},
      {"GET http://other HTTP/1.1", "GET / HTTP/1.1"},
      {"GET http://other?a=b HTTP/1.1", "GET /?a=b HTTP/1.1"},
      {"GET /http://other/ HTTP/1.1", "GET /http://other/ HTTP/1.1"},
      {"GET http:// HTTP/1.1", "GET http:// HTTP/1.1"},
      {"CONNECT other:443 HTTP/1.1", "CONNECT other:443 HTTP/1.1"},
      {"GET /", "GET /"},
      {"nonsense", "nonsense"},
      {"", ""},
  }));
  const std::string rest = "\r\nHost: x\r\n\r\n";
  CHECK(with_plain_target(sent + rest) == understood + rest);
}

}  // namespace
}  // namespace pgconn::exporter
