// Who may be given the password of a connection string.
#include <string>

#include "postgres/conninfo.h"
#include "tests/support/catch.h"
#include "tests/support/environment.h"

namespace pgconn::postgres {
namespace {

using test::LibpqEnvironment;

TEST_CASE("a password is sent in clear over TCP without TLS only where libpq cannot refuse to") {
  const LibpqEnvironment environment;
  const auto demanded = [](const char* dsn, int libpq) {
    const ConnInfo info = ConnInfo::parse(dsn);
    std::string demands;
    for (const auto& [key, text] : info.parameters(info.endpoints(), "test", libpq)) {
      if (key == "require_auth") demands += text;
    }
    return demands;
  };
  CHECK(demanded("host=a sslmode=disable", 16) == "!password");
  CHECK(demanded("host=a,/run/pg sslmode=disable", 18) == "!password");
  CHECK(demanded("host=a sslmode=disable", 15).empty());
  CHECK(demanded("host=a", 16).empty());
  CHECK(demanded("host=/run/pg sslmode=disable", 16).empty());
}

TEST_CASE("a login trusts any peer if nothing shows who it is") {
  LibpqEnvironment environment;
  const auto trusts = [](const char* dsn, int libpq = 15) {
    return ConnInfo::parse(dsn).trusts_whoever_answers(libpq);
  };
  CHECK(trusts("host=a"));
  CHECK(trusts("host=a", 17));
  CHECK(trusts("hostaddr=127.0.0.1 channel_binding=prefer"));
  CHECK(trusts("host=a sslmode=disable"));
  CHECK(trusts("host=/run/pg,a"));
  SECTION("over a socket, a verified certificate or a bound channel it does not") {
    CHECK_FALSE(trusts("host=/run/pg"));
    CHECK_FALSE(trusts("host=a sslmode=verify-full"));
    CHECK_FALSE(trusts("host=a sslmode=verify-ca"));
    CHECK_FALSE(trusts("host=a sslmode=require sslrootcert=/etc/ssl/ca.crt"));
    CHECK_FALSE(trusts("host=a channel_binding=require"));
    CHECK_FALSE(trusts("host=a sslmode=disable", 16));
  }
  SECTION("and has a password or not") {
    CHECK_FALSE(ConnInfo::parse("host=a").has_password());
    environment.write_passfile("*:*:*:*:hunter2\n", 0600);
    CHECK(ConnInfo::parse("host=a").has_password());
    CHECK_FALSE(ConnInfo::parse("host=a passfile=/nonexistent").has_password());
    environment.set("PGPASSWORD", "hunter2");
    CHECK(ConnInfo::parse("host=a passfile=/nonexistent").has_password());
  }
}

TEST_CASE("of the login methods that a dsn may require, only clear text reveals the password") {
  CHECK(allows_clear_password(""));
  CHECK(allows_clear_password("password"));
  CHECK(allows_clear_password("scram-sha-256,password"));
  CHECK(allows_clear_password("!md5"));
  CHECK_FALSE(allows_clear_password("scram-sha-256"));
  CHECK_FALSE(allows_clear_password("!md5,!password"));
}

}  // namespace
}  // namespace pgconn::postgres
