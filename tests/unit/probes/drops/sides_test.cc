#include "probes/drops/sides.h"

#include "probes/drops/attribution.h"
#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

PoolerSides sides(Beside pooler, Beside server) { return {"pool", "orders", pooler, server}; }

std::string_view fallen(Beside pooler, Beside server, Cause cause = Cause::kUnknown) {
  return to_string(side_that_fell(sides(pooler, server), cause));
}

using enum Beside;

TEST_CASE("the pooler fell if its console was lost too, or if it closed the connection itself") {
  CHECK(fallen(kFell, kAnswered) == "pooler");
  CHECK(fallen(kFell, kUnknown) == "pooler");
  CHECK(fallen(kAnswered, kAnswered, Cause::kPoolerClose) == "pooler");
}

TEST_CASE("the server fell if its own connections did and the pooler's console answered") {
  CHECK(fallen(kAnswered, kFell) == "server");
  CHECK(fallen(kUnknown, kFell).empty());  // both may have
}

TEST_CASE("what only a server says or does is the server's side, with or without other targets") {
  CHECK(fallen(kAnswered, kAnswered, Cause::kAdminTerminate) == "server");
  CHECK(fallen(kUnknown, kUnknown, Cause::kPoolerServerLost) == "server");
}

TEST_CASE("where nobody knows there is no side") {
  CHECK(fallen(kAnswered, kAnswered).empty());
  CHECK(fallen(kUnknown, kUnknown).empty());
  CHECK(describe(sides(kUnknown, kUnknown), Side::kUnknown).empty());
}

TEST_CASE("the log says what the others did") {
  CHECK(describe(sides(kAnswered, kFell), Side::kServer) ==
        "the server behind the pooler or the way to it fell, pool went on answering, orders lost "
        "connections too");
  CHECK(describe(sides(kFell, kAnswered), Side::kPooler) ==
        "the pooler or the way to it fell, pool lost connections too, orders went on answering");
}

}  // namespace
}  // namespace pgconn::probes
