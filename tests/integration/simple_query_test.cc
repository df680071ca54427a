// The simple protocol, as a console is asked that understands no other.
#include "tests/integration/servers.h"
#include "tests/integration/stranger.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using postgres::Answer;
using postgres::PgError;
using postgres::Query;
using postgres::Rows;
using Clock = std::chrono::steady_clock;

postgres::ConnectOptions simple(bool takes_setup = true) {
  postgres::ConnectOptions options{"test", 4321ms};
  options.peer.protocol = postgres::Protocol::kSimple;
  options.peer.takes_setup = takes_setup;
  return options;
}

std::vector<Answer> ask(Client& client, postgres::Connection& connection,
                        const std::vector<Query>& queries, std::chrono::milliseconds time = 30s) {
  std::vector<Answer> answers;
  run(client.io, connection.ask(queries, Clock::now() + time, answers));
  return answers;
}

std::string text(const Answer& answer) {
  if (const auto* error = std::get_if<PgError>(&answer)) return error->sqlstate();
  const Rows& rows = std::get<Rows>(answer);
  return rows.empty() ? "no rows" : std::string(postgres::text_or(rows.at(0, 0), "NULL"));
}

TEST_CASE("in the simple protocol a query that fails fails alone, and nothing is prepared") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, simple());
      const std::vector<Query> queries = {
          {"SELECT 'one'", "one"}, {"SELECT 1/0", "two"},
          {"", "three"},           {"SET work_mem = '4MB'", "four"},
          {"SELECT NULL", "five"}, {"SELECT count(*) FROM pg_prepared_statements", "six"}};
      for (int round = 0; round < 2; ++round) {
        const auto answers = ask(client, *connection, queries);
        REQUIRE(answers.size() == 6);
        CHECK(text(answers[0]) == "one");
        CHECK(text(answers[1]) == "22012");
        CHECK(text(answers[2]) == "no rows");
        CHECK(text(answers[3]) == "no rows");
        CHECK(text(answers[4]) == "NULL");
        CHECK(text(answers[5]) == "0");
      }
    }
  }
}

TEST_CASE("the session is set up in the simple protocol too, unless the peer takes no setup") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto set_up = client.connect(server.dsn, simple());
      CHECK(text(ask(client, *set_up, {{"SHOW statement_timeout", ""}}).at(0)) == "4321ms");
      CHECK(set_up->is_direct() == true);
      const auto bare = client.connect(server.dsn, simple(false));
      CHECK(text(ask(client, *bare, {{"SHOW statement_timeout", ""}}).at(0)) == "0");
      CHECK(bare->is_direct() == std::nullopt);
    }
  }
}

TEST_CASE("at the deadline the simple protocol yields what has arrived, and ends the session") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, simple(false));
      const std::vector<Query> queries = {
          {"SELECT 'first'", ""}, {"SELECT pg_sleep(60)", ""}, {"SELECT 3", ""}};
      std::vector<Answer> answers;
      std::vector<postgres::Deadline> arrivals;
      const PgError error = error_of(
          [&] { run(client.io, connection->ask(queries, Clock::now() + 1s, answers, &arrivals)); });
      CHECK(to_string(error.reason()) == "timeout");
      CHECK(error.fatal());
      REQUIRE(answers.size() == 1);
      CHECK(text(answers[0]) == "first");
      CHECK(arrivals.size() == 1);
      CHECK_FALSE(connection->is_open());
    }
  }
}

TEST_CASE("a session that is terminated under a simple query tells the server's last words") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, simple());
      const PgError error = error_of([&] {
        ask(client, *connection,
            {{"SELECT 1", ""}, {"SELECT pg_terminate_backend(pg_backend_pid())", ""}});
      });
      CHECK(error.sqlstate() == "57P01");
      CHECK(error.fatal());
      CHECK_FALSE(connection->is_open());
    }
  }
}

TEST_CASE("a COPY to the client is a clear error in the simple protocol too") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, simple());
      const PgError error = error_of(
          [&] { ask(client, *connection, {{"COPY (SELECT 1) TO STDOUT", ""}, {"SELECT 2", ""}}); });
      CHECK(to_string(error.reason()) == "protocol");
      CHECK_FALSE(connection->is_open());
    }
  }
}

TEST_CASE("a simple answer without end is given up long before the deadline") {
  const std::string row = message('D', number16(1) + number32(1000) + std::string(1000, 'x'));
  const std::string columns = number16(1) + "a\0"s + number32(0) + number16(0) + number32(25) +
                              number16(0xFFFF) + number32(0xFFFFFFFF) + number16(0);
  const Stranger generous([&](Stranger::Line& line) {
    line.read();
    line.write(login());
    line.read();
    line.write(message('T', columns));
    while (line.write(flood_of(row))) {
    }
  });
  Client client;
  const auto connection = client.connect(generous.dsn("sslmode=disable"), simple(false));
  const PgError error = error_of([&] { ask(client, *connection, {{"SHOW POOLS", ""}}, 60s); });
  CHECK(to_string(error.reason()) == "protocol");
  CHECK_FALSE(connection->is_open());
}

TEST_CASE("a peer of another version than its kind is told from one of too old a version") {
  const auto saying = [](const std::string& version) {
    return [version](Stranger::Line& line) {
      line.read();
      line.write(message('R', number32(0)) + message('S', "server_version\0"s + version + "\0"s) +
                 message('Z', "I"));
      line.read_until_closed();
    };
  };
  postgres::ConnectOptions options = simple(false);
  options.peer.product = "PgBouncer";
  options.peer.oldest_version = 11800;
  Client client;
  const Stranger console(saying("1.18.0/bouncer"));
  const auto connection = client.connect(console.dsn("sslmode=disable"), options);
  CHECK(connection->server_version() == 11800);
  const Stranger older(saying("1.17.0/bouncer"));
  const PgError error = error_of([&] { client.connect(older.dsn("sslmode=disable"), options); });
  CHECK(to_string(error.reason()) == "unsupported_version");
  CHECK(error.what() == "PgBouncer \"1.17.0/bouncer\" is not supported; needs 1.18"s);
}

}  // namespace
}  // namespace pgconn::test
