#include "exporter/pages/scrape_request.h"

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using pgconn::config::Global;
using pgconn::exporter::Request;
using pgconn::exporter::scrape_request;
using pgconn::exporter::timeout_refusal;

namespace {

constexpr std::chrono::steady_clock::time_point kNow(1000s);

// How long a scrape with this header may take a target.
std::chrono::steady_clock::duration budget(const char* header, const Global& target = {}) {
  Request request;
  request.headers["X-Prometheus-Scrape-Timeout-Seconds"] = header;
  return scrape_request(request, kNow).patience.deadline(target) - kNow;
}

}  // namespace

TEST_CASE("a scrape may take Prometheus's timeout less the offset") {
  CHECK(budget("5") == 4500ms);
  CHECK(budget("2.25") == 1750ms);
}

TEST_CASE("the configured ceiling bounds a scrape whatever Prometheus allows") {
  CHECK(budget("60") == 10s);
  CHECK(budget("1e300") == 10s);
}

TEST_CASE("a target's own ceiling and offset count for it") {
  CHECK(budget("60", {.scrape_timeout = 20s}) == 20s);
  CHECK(budget("60", {.scrape_timeout = 2s}) == 2s);
  CHECK(budget("15", {.scrape_timeout = 20s, .scrape_timeout_offset = 3s}) == 12s);
}

TEST_CASE("an offset as large as the timeout leaves half of it") { CHECK(budget("0.5") == 250ms); }

TEST_CASE("a timeout header that is no positive number is ignored") {
  for (const char* header : {"", "abc", "-3", "0", "nan", "inf", "5s", " 5"}) {
    CAPTURE(header);
    CHECK(budget(header) == 10s);
  }
}

TEST_CASE("a timeout below a millisecond is refused, since no target could be up in that time") {
  const auto refused = [](const char* header) {
    Request request;
    request.headers["X-Prometheus-Scrape-Timeout-Seconds"] = header;
    return timeout_refusal(request).has_value();
  };
  for (const char* header : {"0.0009", "0.0001", "1e-9", "1e-300"}) CHECK(refused(header));
  for (const char* header : {"0.001", "5", "", "abc", "0", "-1"}) CHECK_FALSE(refused(header));
  CHECK_FALSE(timeout_refusal(Request{}));
}

TEST_CASE("target and collectors are read from the query") {
  Request request;
  request.query = {{"target", "a"}, {"collect[]", "server"}, {"collect[]", "limits"}};
  const auto scrape = scrape_request(request, kNow);
  CHECK(scrape.target == "a");
  CHECK(scrape.collectors == std::set<std::string>{"server", "limits"});
}

TEST_CASE("without a query everything is asked for") {
  const auto scrape = scrape_request(Request{}, kNow);
  CHECK_FALSE(scrape.target);
  CHECK(scrape.collectors.empty());
}
