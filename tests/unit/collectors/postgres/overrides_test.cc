#include "collectors/postgres/overrides.h"

#include "collectors/postgres/setting_rows.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

const std::string kTimeout = "idle_in_transaction_session_timeout";

// Three login roles, two databases.
Overrides read(const std::vector<OverrideRow>& rows) {
  return read_overrides(overrides(rows, 3, 2));
}

}  // namespace

TEST_CASE("Without an override the server's value applies, known or not") {
  CHECK(Overrides().effective(kTimeout, "shop", "app", 60) == 60.0);
  CHECK_FALSE(Overrides().effective(kTimeout, "shop", "app", std::nullopt));
  CHECK(Overrides().server_value_applies(kTimeout));
}

TEST_CASE("The most specific override applies: role in database, role, database, all") {
  const Overrides all = read({{kTimeout, "1min", "", ""}});
  CHECK(all.effective(kTimeout, "shop", "app", 5) == Approx(60));
  const Overrides database = read({{kTimeout, "1min", "", ""}, {kTimeout, "2min", "shop", ""}});
  CHECK(database.effective(kTimeout, "shop", "app", 5) == Approx(120));
  CHECK(database.effective(kTimeout, "stock", "app", 5) == Approx(60));
  const Overrides role = read({{kTimeout, "2min", "shop", ""}, {kTimeout, "3min", "", "app"}});
  CHECK(role.effective(kTimeout, "shop", "app", 5) == Approx(180));
  const Overrides pair = read({{kTimeout, "3min", "", "app"}, {kTimeout, "0", "shop", "app"}});
  CHECK(pair.effective(kTimeout, "shop", "app", 5) == 0.0);
  CHECK(pair.effective(kTimeout, "stock", "app", 5) == Approx(180));
}

TEST_CASE("An override of another setting does not count") {
  const Overrides other = read({{"statement_timeout", "1min", "", ""}});
  CHECK(other.effective(kTimeout, "shop", "app", 5) == 5.0);
  CHECK(other.server_value_applies(kTimeout));
}

TEST_CASE("A value that cannot be read is unknown, not the server's") {
  CHECK_FALSE(read({{kTimeout, "soon", "", "app"}}).effective(kTimeout, "shop", "app", 5));
}

TEST_CASE("The server's value applies until roles and databases leave no pair over") {
  CHECK_FALSE(read({{kTimeout, "1min", "", ""}}).server_value_applies(kTimeout));
  CHECK(read({{kTimeout, "1min", "", "a"}, {kTimeout, "1min", "", "b"}})
            .server_value_applies(kTimeout));
  CHECK_FALSE(
      read({{kTimeout, "1min", "", "a"}, {kTimeout, "1min", "", "b"}, {kTimeout, "1min", "", "c"}})
          .server_value_applies(kTimeout));
  CHECK_FALSE(read({{kTimeout, "1min", "shop", ""}, {kTimeout, "1min", "stock", ""}})
                  .server_value_applies(kTimeout));
}

TEST_CASE("Pairs count only where neither their role nor their database is covered") {
  const std::vector<OverrideRow> two_roles{{kTimeout, "1min", "", "a"},
                                           {kTimeout, "1min", "", "b"}};
  auto rows = two_roles;
  rows.push_back({kTimeout, "1min", "shop", "a"});
  rows.push_back({kTimeout, "1min", "stock", "b"});
  CHECK(read(rows).server_value_applies(kTimeout));
  rows = two_roles;
  rows.push_back({kTimeout, "1min", "shop", "c"});
  rows.push_back({kTimeout, "1min", "stock", "c"});
  CHECK_FALSE(read(rows).server_value_applies(kTimeout));
}

TEST_CASE("A role that may not log in covers nobody") {
  CHECK(read({{kTimeout, "1min", "", "a"},
              {kTimeout, "1min", "", "b"},
              {kTimeout, "1min", "", "group", false}})
            .server_value_applies(kTimeout));
}
