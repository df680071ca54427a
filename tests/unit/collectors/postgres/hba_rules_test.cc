#include "collectors/postgres/hba_rules.h"

#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

struct Rule {
  std::string type, address, netmask, method = "scram-sha-256";
  bool everyone = true;
  bool broken = false;
};

// Places are numbered from 1.
std::optional<std::vector<std::string>> found(const std::vector<Rule>& rules) {
  std::vector<pgconn::postgres::Cell> cells;
  int line = 0;
  for (const Rule& rule : rules) {
    cells.insert(cells.end(), {std::to_string(++line), rule.type, rule.address,
                               rule.netmask.empty() ? kNull : rule.netmask, rule.method,
                               rule.everyone ? "t" : "f", rule.broken ? "t" : "f"});
  }
  return plaintext_remote_rules(pgconn::postgres::Rows(
      {"place", "type", "address", "netmask", "auth_method", "everyone", "broken"}, cells));
}

using Places = std::vector<std::string>;
const std::string kHost = "255.255.255.255";
const std::string kHost6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

}  // namespace

TEST_CASE("The rules of a fresh cluster let nobody remote in") {
  CHECK(found({{"host", "127.0.0.1", kHost}, {"host", "::1", kHost6}}) == Places{});
}

TEST_CASE("host and hostnossl let remote clients in without encryption, hostssl does not") {
  CHECK(found({{"hostssl", "0.0.0.0", "0.0.0.0"},
               {"host", "10.0.0.0", "255.0.0.0"},
               {"hostnossl", "all", ""},
               {"hostgssenc", "all", ""},
               {"host", "app.example", ""},
               {"host", "samenet", ""},
               {"host", "samehost", ""}}) == Places{"2", "3", "5", "6"});
}

TEST_CASE("A rule that rejects lets nobody in") {
  CHECK(found({{"host", "10.0.0.0", "255.0.0.0", "reject"}}) == Places{});
}

TEST_CASE("After all plain clients were refused, host means the encrypted ones") {
  CHECK(found({{"hostnossl", "all", "", "reject"}, {"host", "10.0.0.0", "255.0.0.0"}}) == Places{});
  CHECK(found({{"hostnossl", "0.0.0.0", "0.0.0.0", "reject"},
               {"host", "10.0.0.0", "255.0.0.0"},
               {"host", "fd00::", "ff00::"},
               {"host", "all", ""}}) == Places{"3", "4"});
  CHECK(found({{"hostnossl", "::", "::", "reject"}, {"host", "fd00::", "ff00::"}}) == Places{});
}

TEST_CASE("Refusing some databases or roles leaves the others") {
  CHECK(found({{"hostnossl", "all", "", "reject", false}, {"host", "all", ""}}) == Places{"2"});
}

TEST_CASE("A file with errors tells nothing about the rules in force") {
  CHECK(found({{"host", "all", ""}, {"", "", "", "", false, true}}) == std::nullopt);
}
