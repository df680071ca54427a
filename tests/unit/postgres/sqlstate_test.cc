#include "postgres/sqlstate.h"

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

TEST_CASE("A SQLSTATE of PostgreSQL's own list is a label value") {
  for (const char* known : {"00000", "08006", "08P01", "25P04", "28P01", "3D000", "40001", "53300",
                            "57P01", "57P05", "F0000", "HV000", "P0001", "XX002"}) {
    CHECK(sqlstate_label(known) == known);
  }
}

TEST_CASE("A SQLSTATE that a peer made up is `other`, and none is empty") {
  for (const char* foreign : {"ZZ999", "57P09", "28P0", "57p01", "TS001"}) {
    CHECK(sqlstate_label(foreign) == "other");
  }
  CHECK(sqlstate_label("").empty());
}

}  // namespace
}  // namespace pgconn::postgres
