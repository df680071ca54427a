#include "postgres/peer.h"

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

TEST_CASE("versions are called as people call them") {
  CHECK(version_name(150018) == "15");
  CHECK(version_name(90624) == "9.6");
  CHECK(version_name(11800) == "1.18");
}

}  // namespace
}  // namespace pgconn::postgres
