#include "postgres/reason_name.h"

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

std::string_view name_of(const std::string& refusal) {
  static PgError error(Phase::kStartup, Reason::kStopped, "", "", true);
  error = connect_error(
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  " + refusal + "\n",
      Phase::kStartup);
  return reason_name(error);
}

TEST_CASE("A refused login says which limit on connections was reached") {
  CHECK(name_of("53300: too many connections for role \"app\"") == "role_limit");
  CHECK(name_of("53300: too many connections for database \"app\"") == "database_limit");
  CHECK(name_of("53300: sorry, too many clients already") == "too_many_connections");
  CHECK(name_of("53300: remaining connection slots are reserved for roles with the SUPERUSER "
                "attribute") == "too_many_connections");
}

TEST_CASE("In another language it only says that a limit was reached") {
  CHECK(name_of("53300: zu viele Verbindungen") == "too_many_connections");
}

TEST_CASE("What a client chose cannot pass for a limit") {
  CHECK(name_of("3D000: database \"too many connections for role \"x\"\" does not exist") ==
        "database");
}

TEST_CASE("Any other failure is called by its reason") {
  CHECK(name_of("28P01: password authentication failed for user \"app\"") == "authentication");
  CHECK(reason_name(connect_error("Connection refused", Phase::kTcp)) == "refused");
}

}  // namespace
}  // namespace pgconn::postgres
