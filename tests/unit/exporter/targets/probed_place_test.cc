#include "exporter/targets/probed_place.h"

#include "postgres/conninfo.h"
#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

TEST_CASE("Of a name's addresses, only those that the module allows are connected to") {
  config::AuthModule module;
  module.allow = {*config::AllowedPlace::parse("10.0.0.0/8")};
  module.target.dsn = "user=pgconn";
  const config::Place place{"db.internal", 6432, "app"};
  const auto addresses = allowed_addresses(module, place, {"192.0.2.1", "10.1.1.1", "10.1.1.2"});
  CHECK(addresses == std::vector<std::string>{"10.1.1.1", "10.1.1.2"});
  module.allow.clear();
  CHECK(allowed_addresses(module, place, {"10.1.1.1"}).empty());

  const config::Target target = probed_target(module, "db.internal:6432/app", place, addresses);
  CHECK(target.name == "db.internal:6432/app");
  const auto conninfo = postgres::ConnInfo::parse(target.dsn);
  REQUIRE(conninfo.endpoints().size() == 2);
  for (const postgres::Endpoint& endpoint : conninfo.endpoints()) {
    CHECK(endpoint.host == "db.internal");
    CHECK(endpoint.hostaddr.starts_with("10.1.1."));
    CHECK(endpoint.port == "6432");
  }
  CHECK(conninfo.database() == "app");
}

}  // namespace
}  // namespace pgconn::exporter
