#include "exporter/scrape_request.h"

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using pgconn::config::Global;
using pgconn::exporter::Request;
using pgconn::exporter::scrape_budget;
using pgconn::exporter::scrape_request;

TEST_CASE("a scrape may take Prometheus's timeout less the offset") {
  CHECK(scrape_budget("5", Global{}) == 4500ms);
  CHECK(scrape_budget("2.25", Global{}) == 1750ms);
}

TEST_CASE("the configured ceiling bounds a scrape whatever Prometheus allows") {
  CHECK(scrape_budget("60", Global{}) == 10s);
  CHECK(scrape_budget("1e300", Global{}) == 10s);
}

TEST_CASE("an offset as large as the timeout leaves half of it") {
  CHECK(scrape_budget("0.5", Global{}) == 250ms);
}

TEST_CASE("a timeout header that is no positive number is ignored") {
  for (const char* header : {"", "abc", "-3", "0", "nan", "inf", "5s", " 5"}) {
    CAPTURE(header);
    CHECK(scrape_budget(header, Global{}) == 10s);
  }
}

TEST_CASE("target and collectors are read from the query") {
  Request request;
  request.query = {{"target", "a"}, {"collect[]", "server"}, {"collect[]", "limits"}};
  const auto scrape = scrape_request(request, Global{}, {});
  CHECK(scrape.target == "a");
  CHECK(scrape.collectors == std::set<std::string>{"server", "limits"});
}

TEST_CASE("without a query everything is asked for") {
  const auto scrape = scrape_request(Request{}, Global{}, {});
  CHECK_FALSE(scrape.target);
  CHECK(scrape.collectors.empty());
}
