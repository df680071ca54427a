#include "exporter/pages/service_discovery.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

Request from(std::string host) {
  Request request;
  request.headers["Host"] = std::move(host);
  return request;
}

TEST_CASE("Every target is a group that scrapes this exporter for it alone") {
  config::Target orders, odd;
  orders.name = "orders";
  orders.labels = {{"cluster", "say \"hi\""}};
  odd.name = "odd";
  const Response response = service_discovery(from("exporter:9187"), {orders, odd}, "/m", true);
  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  const auto groups = nlohmann::json::parse(response.body);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0]["targets"] == nlohmann::json::array({"exporter:9187"}));
  CHECK(groups[0]["labels"] == nlohmann::json({{"cluster", "say \"hi\""},
                                               {"target", "orders"},
                                               {"__param_target", "orders"},
                                               {"__metrics_path__", "/m"},
                                               {"__scheme__", "https"}}));
  CHECK(groups[1]["labels"]["__param_target"] == "odd");
  CHECK_FALSE(nlohmann::json::parse(
                  service_discovery(from("[::1]:9187"), {odd}, "/m", false).body)[0]["labels"]
                  .contains("__scheme__"));
}

TEST_CASE("Without targets the list is empty, which Prometheus accepts") {
  CHECK(nlohmann::json::parse(service_discovery(from("a"), {}, "/m", false).body) ==
        nlohmann::json::array());
}

TEST_CASE("A Host header that is no address is refused") {
  for (const char* host : {"", "a b", "a/b", "<script>", "a,b"}) {
    INFO(host);
    CHECK(service_discovery(from(host), {}, "/m", false).status == 400);
  }
}

}  // namespace
}  // namespace pgconn::exporter
