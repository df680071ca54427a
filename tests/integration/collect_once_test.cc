// One collection alone: of good servers, of those that refuse, and of those that do not answer.
#include "exporter/targets/collect_once.h"

#include <algorithm>
#include <cstdlib>

#include "tests/integration/servers.h"
#include "tests/integration/stranger.h"
#include "tests/support/catch.h"
#include "tests/support/console_kind.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using exporter::CollectorReport;
using exporter::OneCollection;
using exporter::Outcome;
using Clock = std::chrono::steady_clock;

OneCollection collect(const std::string& dsn, std::chrono::milliseconds time = 30s,
                      const collectors::TargetKind& kind = collectors::postgres_kind()) {
  config::Target target;
  target.name = "one";
  target.labels = {{"env", "test"}};
  target.dsn = dsn;
  Client client;
  async::SystemTime clock(client.io.get_executor());
  exporter::Passwords passwords(clock);
  return run(client.io,
             exporter::collect_once(client.resolver, passwords, target, kind, Clock::now() + time));
}

// The samples of a family by their labels, joined by commas.
std::map<std::string, double> samples(const OneCollection& once, std::string_view family) {
  std::map<std::string, double> found;
  for (const metrics::Family& each : once.result.batch.families()) {
    if (each.descriptor->name != family) continue;
    for (const metrics::Sample& sample : each.samples) {
      std::string labels;
      for (const std::string& label : sample.labels) labels += (labels.empty() ? "" : ",") + label;
      found[labels] = sample.value;
    }
  }
  return found;
}

void check_error(const OneCollection& once, std::string_view phase, std::string_view reason) {
  REQUIRE(once.error);
  CAPTURE(once.error->what());
  CHECK(to_string(once.error->phase()) == phase);
  CHECK(to_string(once.error->reason()) == reason);
}

// A server that did not answer at all is told as every scrape would tell it.
void check_down(const OneCollection& once) {
  CHECK_FALSE(once.facts);
  CHECK_FALSE(once.connecting);
  CHECK(once.findings.empty());
  CHECK(samples(once, "pgconn_up").at("") == 0);
  CHECK(once.reports.size() == collectors::postgres_kind().collectors.size());
  CHECK(std::ranges::all_of(once.reports, [](const CollectorReport& report) {
    return report.outcome == Outcome::kFailed;
  }));
}

TEST_CASE("one collection of a good server has everything, and leaves no session behind") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const OneCollection once = collect(server.dsn);
      if (once.error) FAIL(once.error->what());
      REQUIRE(once.facts);
      CHECK(once.facts->version.starts_with(std::to_string(server.version)));
      CHECK(once.facts->role == "postgres");
      CHECK_FALSE(once.facts->system_identifier.empty());
      for (const CollectorReport& report : once.reports) {
        CAPTURE(report.name, report.message);
        CHECK(report.outcome == Outcome::kSuccess);
      }
      CHECK(once.reports.size() == collectors::postgres_kind().collectors.size());
      CHECK(std::ranges::any_of(once.findings, [](const collectors::Finding& finding) {
        return finding.subject == "server" && !finding.fix.empty();
      }));
      REQUIRE(once.connecting);
      CHECK(once.connecting->tcp);
      CHECK(once.connecting->tls);
      CHECK(once.connecting->startup);
      CHECK(once.connecting->resolve);
      CHECK(once.result.labels ==
            std::vector<std::pair<std::string, std::string>>{{"target", "one"}, {"env", "test"}});
      CHECK(samples(once, "pgconn_up").at("") == 1);
      CHECK(samples(once, "pgconn_target_info")
                .contains("127.0.0.1," + server.port + ",postgres,postgres," + once.facts->version +
                          ",primary"));
      CHECK_FALSE(samples(once, "pgconn_connection_slots").empty());
      CHECK(samples(once, "pgconn_exporter_connections").at("collect") == 1);
      CHECK(samples(once, "pgconn_scrape_errors_total").empty());  // a counter of nobody's

      Admin admin(server);
      Client client;
      client.eventually("the session is over", [&] {
        return admin.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                   "'pgconn_exporter/collect'") == "0";
      });
    }
  }
}

TEST_CASE("one collection with a wrong password says so, and not the password") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const PasswordRole role(server);
      const OneCollection once =
          collect(server.with("user=locked password=hunter2 passfile=/nonexistent"));
      check_error(once, "startup", "authentication");
      CHECK(once.error->sqlstate() == "28P01");
      CHECK(std::string_view(once.error->what()).find("hunter2") == std::string_view::npos);
      check_down(once);
    }
  }
}

TEST_CASE("one collection where nobody listens says so") {
  const OneCollection once = collect("host=127.0.0.1 user=m dbname=d sslmode=disable port=" +
                                     std::to_string(Stranger::unused_port()));
  check_error(once, "tcp", "refused");
  check_down(once);
}

TEST_CASE("one collection with a connection string of no use says what is wrong with it") {
  const OneCollection once = collect("host=127.0.0.1 nonsense=1");
  check_error(once, "config", "config");
  check_down(once);
  CHECK(samples(once, "pgconn_target_info").empty());
}

// pg_db_role_setting is read at each login.
TEST_CASE("one collection of a server that does not answer the login ends at its deadline") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto holder = client.connect(server.dsn);
      client.value(*holder, "BEGIN");
      client.value(*holder, "LOCK TABLE pg_catalog.pg_db_role_setting");
      const auto begin = Clock::now();
      const OneCollection once = collect(server.dsn, 1s);
      CHECK(Clock::now() - begin < 5s);
      check_error(once, "startup", "timeout");
      check_down(once);
    }
  }
}

std::string row_of(const std::vector<std::string>& columns, const std::vector<std::string>& cells) {
  std::string description = number16(static_cast<std::uint16_t>(columns.size()));
  for (const std::string& name : columns) {
    description += name + "\0"s + number32(0) + number16(0) + number32(25) + number16(0xFFFF) +
                   number32(0xFFFFFFFF) + number16(0);
  }
  std::string row = number16(static_cast<std::uint16_t>(cells.size()));
  for (const std::string& cell : cells) {
    row += number32(static_cast<std::uint32_t>(cell.size())) + cell;
  }
  return message('T', description) + message('D', row) + message('C', "SHOW\0"s) +
         message('Z', "I");
}

std::string console_login() {
  return message('R', number32(0)) + message('S', "server_version\0"s + "1.18.0/bouncer\0"s) +
         message('Z', "I");
}

TEST_CASE("of a peer that stops answering there is what it has answered by the deadline") {
  std::string first_question;
  const Stranger slow([&](Stranger::Line& line) {
    line.read();
    line.write(console_login());
    first_question = line.read();
    line.write(row_of({"version"}, {"PgBouncer 1.18.0"}));
    line.read_until_closed();
  });
  const OneCollection once = collect(slow.dsn("sslmode=disable"), 1s, console_kind());
  check_error(once, "query", "timeout");
  CHECK(first_question == message('Q', "SHOW VERSION\0"s));  // alone, and no setup before it
  REQUIRE(once.facts);
  CHECK(once.facts->version == "1.18.0");
  REQUIRE(once.connecting);
  CHECK(samples(once, "pgconn_up").at("") == 1);
  const auto pools = std::ranges::find(once.reports, "pools", &CollectorReport::name);
  REQUIRE(pools != once.reports.end());
  CHECK(pools->outcome == Outcome::kFailed);
  CHECK(pools->message.find("before the deadline") != std::string::npos);
}

TEST_CASE("a peer that is not of the target's kind is down") {
  const Stranger other([&](Stranger::Line& line) {
    line.read();
    line.write(console_login());
    while (!line.read().empty()) line.write(row_of({"version"}, {"SomethingElse 3"}));
  });
  const OneCollection once = collect(other.dsn("sslmode=disable"), 10s, console_kind());
  check_error(once, "query", "protocol");
  CHECK(once.error->what() == "the answer to a query about the server is not PgBouncer's"s);
  CHECK_FALSE(once.facts);
  CHECK(samples(once, "pgconn_up").at("") == 0);
}

// Hidden: tests/integration/console_test.py starts the poolers and names one in PGBOUNCER_CONSOLE.
TEST_CASE("a real PgBouncer's console is collected by the simple protocol", "[.console]") {
  const char* const dsn = std::getenv("PGBOUNCER_CONSOLE");
  REQUIRE(dsn != nullptr);
  const OneCollection once = collect(dsn, 30s, console_kind());
  if (once.error) FAIL(once.error->what());
  REQUIRE(once.facts);
  CHECK(once.facts->version.starts_with("1."));
  CHECK(samples(once, "pgconn_test_pool_clients").contains("pgbouncer,pgbouncer"));
  REQUIRE(once.reports.size() == 3);
  CHECK(once.reports[0].outcome == Outcome::kSuccess);
  CHECK(once.reports[1].outcome == Outcome::kFailed);  // what it does not know fails alone
  CHECK(once.reports[2].message == "needs PgBouncer 9.99 or newer");
  const auto info = samples(once, "pgconn_target_info");
  REQUIRE(info.size() == 1);
  CHECK(info.begin()->first.find(",pgbouncer,console," + once.facts->version + ",") !=
        std::string::npos);
}

}  // namespace
}  // namespace pgconn::test
