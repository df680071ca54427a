#include "exporter/web/web_guard.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

// Of "right", at the lowest cost there is.
const std::string kHash = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";

Request asking(const std::string& path, const std::string& authorization = "") {
  Request request;
  request.method = "GET";
  request.path = path;
  if (!authorization.empty()) request.headers["Authorization"] = authorization;
  return request;
}

int status(WebGuard& guard, const Request& request, WebGuard::Clock::time_point now = {}) {
  const auto refused = guard.refuse(request, now);
  return refused ? refused->status : 200;
}

TEST_CASE("without requirements everybody is let in") {
  WebGuard guard({}, {});
  CHECK(status(guard, asking("/metrics")) == 200);
  CHECK(guard.headers().empty());
}

TEST_CASE("with users every path needs a login, health and unknown ones too") {
  config::WebConfig web;
  web.users = {{"alice", kHash}};
  WebGuard guard(web, {});
  const std::string path = GENERATE("/metrics", "/-/healthy", "/", "/nowhere");
  const auto refused = guard.refuse(asking(path), {});
  REQUIRE(refused);
  CHECK(refused->status == 401);
  CHECK(refused->headers ==
        std::vector<std::pair<std::string, std::string>>{
            {"WWW-Authenticate", "Basic realm=\"pgconn_exporter\", charset=\"UTF-8\""}});
  CHECK(status(guard, asking(path, "Basic YWxpY2U6cmlnaHQ=")) == 200);
  CHECK(status(guard, asking(path, "Basic YWxpY2U6d3Jvbmc=")) == 401);
}

TEST_CASE("a replacement lets in the users of its own file") {
  config::WebConfig web;
  web.users = {{"alice", kHash}};
  WebGuard open({}, {});
  WebGuard first(web, {}, &open);
  CHECK(status(first, asking("/")) == 401);
  CHECK(status(first, asking("/", "Basic YWxpY2U6cmlnaHQ=")) == 200);
  WebGuard second(web, {}, &first);
  CHECK(status(second, asking("/", "Basic YWxpY2U6cmlnaHQ=")) == 200);
  web.users = {{"bob", kHash}};
  WebGuard third(web, {}, &second);
  CHECK(status(third, asking("/", "Basic YWxpY2U6cmlnaHQ=")) == 401);
}

TEST_CASE("beyond the rate limit nobody is let in, and no password is checked") {
  config::WebConfig web;
  web.users = {{"alice", kHash}};
  web.rate_limit = {.interval = std::chrono::seconds(1), .burst = 2};
  const WebGuard::Clock::time_point begin{};
  WebGuard guard(web, begin);
  CHECK(status(guard, asking("/"), begin) == 401);
  CHECK(status(guard, asking("/"), begin) == 401);
  CHECK(status(guard, asking("/", "Basic YWxpY2U6cmlnaHQ="), begin) == 429);
  CHECK(status(guard, asking("/", "Basic YWxpY2U6cmlnaHQ="), begin + std::chrono::seconds(1)) ==
        200);
}

}  // namespace
}  // namespace pgconn::exporter
