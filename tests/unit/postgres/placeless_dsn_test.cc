#include "postgres/placeless_dsn.h"

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

bool says(const std::optional<std::string>& message, const std::string& words) {
  return message && message->find(words) != std::string::npos;
}

TEST_CASE("A string that names no server is accepted, in both forms") {
  CHECK(check_placeless_dsn("user=pgconn sslmode=verify-full") == std::nullopt);
  CHECK(check_placeless_dsn("postgresql://pgconn@/postgres?sslmode=require") == std::nullopt);
}

TEST_CASE("A string that says where to connect, or with which password, is refused") {
  for (const char* keyword : {"host=a", "hostaddr=192.0.2.1", "port=5433", "passfile=/p"}) {
    const auto wrong = check_placeless_dsn(keyword);
    const std::string text(keyword);
    CHECK(says(wrong, "`" + text.substr(0, text.find('=')) + "`"));
  }
  CHECK(check_placeless_dsn("postgresql://pgconn@db.internal/postgres"));
  CHECK(says(check_placeless_dsn("password=x"), "password_file"));
}

TEST_CASE("The place is added to the string, whatever characters its values have") {
  const std::string dsn =
      dsn_at("user='o\\'hara' dbname=postgres",
             {{"db.internal", "192.0.2.1", "5433"}, {"db.internal", "2001:db8::1", "5433"}},
             R"(it's a \ host=evil)");
  const ConnInfo conninfo = ConnInfo::parse(dsn);
  CHECK(conninfo.user() == "o'hara");
  CHECK(conninfo.database() == R"(it's a \ host=evil)");
  REQUIRE(conninfo.endpoints().size() == 2);
  CHECK(conninfo.endpoints()[0].host == "db.internal");
  CHECK(conninfo.endpoints()[1].hostaddr == "2001:db8::1");
  CHECK(conninfo.endpoints()[1].port == "5433");
  CHECK(ConnInfo::parse(dsn_at("dbname=mine", {{"a", "192.0.2.1", "5432"}}, "")).database() ==
        "mine");
}

}  // namespace
}  // namespace pgconn::postgres
