#include "exporter/web/http_request.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

TEST_CASE("percent-decoding turns each escape into its byte and leaves everything else alone") {
  CHECK(percent_decode("/metrics") == "/metrics");
  CHECK(percent_decode("a%20b%2Fc%2fd") == "a b/c/d");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("%C3%A9") == "\xC3\xA9");
  CHECK(percent_decode("a%00b") == std::string("a\0b", 3));
  CHECK(percent_decode("%41") == "A");
}

TEST_CASE("percent signs that no two hexadecimal digits follow stay as they are") {
  CHECK(percent_decode("100%") == "100%");
  CHECK(percent_decode("%4") == "%4");
  CHECK(percent_decode("%zz") == "%zz");
  CHECK(percent_decode("%-1%+1% 1") == "%-1%+1% 1");
  CHECK(percent_decode("%4g%%41") == "%4g%A");
}

TEST_CASE("a query is read into decoded names and values in their order") {
  const Query query = parse_query("collect%5B%5D=sessions&collect[]=limits&target=a+b%2Bc");
  CHECK(query == Query{{"collect[]", "sessions"}, {"collect[]", "limits"}, {"target", "a b+c"}});
}

TEST_CASE("odd queries lose nothing but their empty pieces") {
  CHECK(parse_query("").empty());
  CHECK(parse_query("&&").empty());
  CHECK(parse_query("debug") == Query{{"debug", ""}});
  CHECK(parse_query("a=") == Query{{"a", ""}});
  CHECK(parse_query("=b") == Query{{"", "b"}});
  CHECK(parse_query("&a=1&&b=2&") == Query{{"a", "1"}, {"b", "2"}});
  CHECK(parse_query("dsn=host=db") == Query{{"dsn", "host=db"}});
  CHECK(parse_query("a%26b=c%3Dd") == Query{{"a&b", "c=d"}});
}

TEST_CASE("a request gives the first value, all values, or none of a parameter") {
  Request request;
  request.query = parse_query("target=one&collect[]=a&collect[]=b&target=two");
  CHECK(request.parameter("target") == "one");
  CHECK(request.parameter("missing") == std::nullopt);
  CHECK(request.parameters("collect[]") == std::vector<std::string>{"a", "b"});
  CHECK(request.parameters("missing").empty());
}

TEST_CASE("header names are found whatever their case") {
  Request request;
  request.headers.emplace("X-Prometheus-Scrape-Timeout-Seconds", "10");
  CHECK(request.header("x-prometheus-scrape-timeout-seconds") == "10");
  CHECK(request.header("X-PROMETHEUS-SCRAPE-TIMEOUT-SECONDS") == "10");
  CHECK(request.header("x-prometheus-scrape-timeout").empty());
  CHECK_FALSE(request.headers.emplace("x-prometheus-SCRAPE-timeout-seconds", "9").second);
}

}  // namespace
}  // namespace pgconn::exporter
