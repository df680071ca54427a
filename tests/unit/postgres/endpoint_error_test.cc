#include "postgres/endpoint_error.h"

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

TEST_CASE("each endpoint's refusal is read from libpq's message about all of them") {
  const auto errors = endpoint_errors(
      "connection to server at \"10.0.0.1\", port 5432 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n"
      "connection to server at \"db.internal\" (fe80::2), port 5433 failed: FATAL:  57P03: the "
      "database system is shutting down\nLOCATION:  ProcessStartupPacket, postmaster.c:2324\n"
      "connection to server on socket \"/run/postgresql/.s.PGSQL.5432\" failed: session is "
      "read-only\n");
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].endpoint == "10.0.0.1:5432");
  CHECK(errors[0].error.reason() == Reason::kRefused);
  CHECK(errors[1].endpoint == "fe80::2:5433");
  CHECK(errors[1].error.reason() == Reason::kStarting);
  CHECK(errors[1].error.sqlstate() == "57P03");
  CHECK(errors[2].endpoint == "/run/postgresql/.s.PGSQL.5432");
  CHECK(errors[2].error.reason() == Reason::kServerError);
}

TEST_CASE("an endpoint of a refusal has the name of an endpoint that was connected to") {
  CHECK(endpoint_name("db.internal", "10.0.0.1", "5432") == "10.0.0.1:5432");
  CHECK(endpoint_name("db.internal", "", "5432") == "db.internal:5432");
  CHECK(endpoint_name("/run/postgresql", "", "5432") == "/run/postgresql/.s.PGSQL.5432");
}

TEST_CASE(
    "a message without an endpoint belongs to none, and an endpoint that a server quotes does not "
    "count") {
  CHECK(endpoint_errors("").empty());
  CHECK(endpoint_errors("could not translate host name \"x\" to address: Unknown host\n").empty());
  CHECK(endpoint_errors("connection to server at \"10.0.0.1\", port").empty());
  CHECK(endpoint_errors("connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  3D000: "
                        "database \"connection to server at \"x\", port 1 failed: y\" does not "
                        "exist\n")
            .size() == 1);
}

}  // namespace
}  // namespace pgconn::postgres
