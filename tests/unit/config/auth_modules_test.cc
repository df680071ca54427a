#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

TEST_CASE("A module starts from the file's sections and may change them for itself") {
  const ValidatedConfig config = load(R"(
global: {connect_timeout: 3s, scrape_timeout: 8s}
collectors: {transport: false}
auth_modules:
  cluster:
    allow: [10.20.0.0/16, "*.db.internal:5432"]
    dsn: user=pgconn sslmode=verify-full
    password_file: /run/secrets/pgconn
    max_per_second: 5
    labels: {cluster: orders}
    scrape_timeout: 4s
    collectors: {blocking: false}
)");
  CHECK(config->targets.empty());
  REQUIRE(config->auth_modules.size() == 1);
  const AuthModule& module = config->auth_modules[0];
  CHECK(module.name == "cluster");
  CHECK(module.allow.size() == 2);
  CHECK(module.max_per_second == 5);
  CHECK(module.target.dsn == "user=pgconn sslmode=verify-full");
  CHECK(module.target.password_file == "/run/secrets/pgconn");
  CHECK(module.target.own_password_only);
  CHECK(module.target.labels.at("cluster") == "orders");
  CHECK(module.target.global.connect_timeout == std::chrono::seconds(3));
  CHECK(module.target.global.scrape_timeout == std::chrono::seconds(4));
  CHECK_FALSE(module.target.collectors.enabled.at("transport"));
  CHECK_FALSE(module.target.collectors.enabled.at("blocking"));
}

TEST_CASE("Configured targets may use the environment's password, modules may not") {
  const ValidatedConfig config =
      load("targets: [{name: a}]\nauth_modules: {m: {allow: [10.0.0.0/8]}}");
  CHECK_FALSE(config->targets[0].own_password_only);
  CHECK(config->auth_modules[0].target.own_password_only);
}

}  // namespace
}  // namespace pgconn::config
