#include "postgres/identifier.h"

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

TEST_CASE("a text of any characters is quoted as one literal") {
  CHECK(quoted_literal("") == "''");
  CHECK(quoted_literal("it's") == "'it''s'");
  CHECK(quoted_literal("a\\b'") == "E'a\\\\b'''");
}

TEST_CASE("a name of any characters is quoted as one name") {
  CHECK(quoted_identifier("my\"role") == "\"my\"\"role\"");
}

}  // namespace
}  // namespace pgconn::postgres
