#include <algorithm>

#include "tests/integration/servers.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using postgres::Answer;
using postgres::Cell;
using postgres::PgError;
using postgres::Query;
using postgres::Rows;

std::string text(const Answer& answer) {
  if (const auto* error = std::get_if<PgError>(&answer)) return error->sqlstate();
  const Rows& rows = std::get<Rows>(answer);
  return rows.empty() ? "no rows" : std::string(postgres::text_or(rows.at(0, 0), "NULL"));
}

TEST_CASE("a query that fails affects no other, and has its SQLSTATE") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      const auto answers = client.ask(
          *connection,
          {{"SELECT 'one'", ""}, {"SELECT 1/0", ""}, {"SELECT nope", ""}, {"SELECT 'four'", ""}});
      REQUIRE(answers.size() == 4);
      CHECK(text(answers[0]) == "one");
      CHECK(text(answers[1]) == "22012");
      CHECK(text(answers[2]) == "42703");
      CHECK(text(answers[3]) == "four");
      const auto& error = std::get<PgError>(answers[1]);
      CHECK(error.what() == std::string("ERROR: division by zero"));
      CHECK(to_string(error.phase()) == "query");
      CHECK(to_string(error.reason()) == "server_error");
      CHECK_FALSE(error.fatal());
      CHECK(client.value(*connection, "SELECT 'alive'") == "alive");
    }
  }
}

TEST_CASE("a call without queries only sets the session up, and shifts no later answer") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, {"test", 4321ms});
      CHECK(client.ask(*connection, {}).empty());
      CHECK(Admin(server).value("SELECT state FROM pg_stat_activity WHERE pid = " +
                                std::to_string(connection->backend_pid())) == "idle");
      CHECK(client.ask(*connection, {}).empty());
      CHECK(client.value(*connection, "SHOW statement_timeout") == "4321ms");
      CHECK(client.value(*connection, "SELECT 'two'") == "two");
    }
  }
}

TEST_CASE("every answer comes with its time of arrival, in order") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      const std::vector<Query> queries = {{"SELECT 1", ""}, {"SELECT 1/0", ""}, {"SELECT 3", ""}};
      std::vector<Answer> answers;
      std::vector<postgres::Deadline> arrivals;
      const auto begin = std::chrono::steady_clock::now();
      run(client.io, connection->pipeline(queries, begin + 30s, answers, &arrivals));
      REQUIRE(arrivals.size() == 3);
      CHECK(begin <= arrivals[0]);
      CHECK(std::is_sorted(arrivals.begin(), arrivals.end()));
    }
  }
}

TEST_CASE("a named statement is prepared once and executed ever after") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      for (int i = 0; i < 100; ++i) {
        const auto answers = client.ask(*connection, {{"SELECT 'a'", "a"}, {"SELECT 'b'", "b"}});
        REQUIRE(answers.size() == 2);
        REQUIRE(text(answers[0]) == "a");
        REQUIRE(text(answers[1]) == "b");
      }
      CHECK(client.value(*connection,
                         "SELECT count(*) FROM pg_prepared_statements WHERE name IN ('a', 'b')") ==
            "2");
    }
  }
}

TEST_CASE("nothing is prepared before it is known that the server itself answers") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      CHECK(connection->is_direct() == std::nullopt);
      const std::vector<Query> count = {{"SELECT count(*) FROM pg_prepared_statements", "count"}};
      CHECK(text(client.ask(*connection, count)[0]) == "0");
      CHECK(connection->is_direct() == true);
      CHECK(text(client.ask(*connection, count)[0]) == "1");
    }
  }
}

TEST_CASE("a name that occurs twice in one call is prepared once") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      client.value(*connection, "SELECT 1");
      const auto answers = client.ask(*connection, {{"SELECT 'a'", "a"}, {"SELECT 'a'", "a"}});
      REQUIRE(answers.size() == 2);
      CHECK(text(answers[0]) == "a");
      CHECK(text(answers[1]) == "a");
    }
  }
}

TEST_CASE("a named statement that failed works as soon as its reason is gone") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      const std::vector<Query> cannot_prepare = {{"SELECT count(*) FROM pg_temp.later", "later"}};
      CHECK(text(client.ask(*connection, cannot_prepare)[0]) == "42P01");
      CHECK(text(client.ask(*connection, cannot_prepare)[0]) == "42P01");
      client.value(*connection, "CREATE TEMP TABLE later AS SELECT 0 AS divisor");
      CHECK(text(client.ask(*connection, cannot_prepare)[0]) == "1");

      const std::vector<Query> cannot_execute = {
          {"SELECT 6 / divisor FROM pg_temp.later", "divide"}};
      CHECK(text(client.ask(*connection, cannot_execute)[0]) == "22012");
      CHECK(text(client.ask(*connection, cannot_execute)[0]) == "22012");
      client.value(*connection, "UPDATE pg_temp.later SET divisor = 2");
      CHECK(text(client.ask(*connection, cannot_execute)[0]) == "3");
    }
  }
}

TEST_CASE("NULL, empty text and bytes that are no UTF-8 arrive as they are") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Admin admin(server);
      admin.run("DROP DATABASE IF EXISTS bytes");
      admin.run(
          "CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE "
          "'C'");
      {
        Client client;
        const auto connection = client.connect(server.with("dbname=bytes"));
        const auto answers = client.ask(
            *connection,
            {{"SELECT NULL AS a, '' AS b, convert_from('\\xff78c0', 'SQL_ASCII') AS c", ""}});
        const Rows& rows = std::get<Rows>(answers[0]);
        REQUIRE(rows.size() == 1);
        CHECK(rows.columns() == std::vector<std::string>{"a", "b", "c"});
        CHECK(rows.at(0, 0) == Cell());
        CHECK(rows.at(0, 1) == Cell(""));
        CHECK(rows.at(0, 2) == Cell("\xFFx\xC0"));
        client.value(*connection,
                     "DO $$ BEGIN EXECUTE format('CREATE ROLE %I', "
                     "convert_from('\\x6ee9', 'SQL_ASCII')); END $$");
        // Names of roles are shared by databases of every encoding.
        const auto other = client.connect(server.dsn);
        CHECK(client.value(*other, "SELECT rolname FROM pg_roles ORDER BY oid DESC LIMIT 1") ==
              "n\xE9");
        client.value(*connection,
                     "DO $$ BEGIN EXECUTE format('DROP ROLE %I', convert_from('\\x6ee9', "
                     "'SQL_ASCII')); END $$");
      }
      Client client;
      client.eventually("the session is over", [&] {
        return admin.value("SELECT count(*) FROM pg_stat_activity WHERE datname = 'bytes'") == "0";
      });
      admin.run("DROP DATABASE bytes");
    }
  }
}

TEST_CASE("statements without rows, empty ones and several columns are answers too") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      const auto answers = client.ask(*connection, {{"SET work_mem = '4MB'", ""},
                                                    {"", ""},
                                                    {"SELECT 1 AS a, 2 AS b WHERE false", ""},
                                                    {"SELECT FROM generate_series(1, 3)", ""},
                                                    {"SELECT 'last'", ""}});
      REQUIRE(answers.size() == 5);
      CHECK(std::get<Rows>(answers[0]).empty());
      CHECK(std::get<Rows>(answers[1]).empty());
      CHECK(std::get<Rows>(answers[2]).columns() == std::vector<std::string>{"a", "b"});
      CHECK(std::get<Rows>(answers[3]).size() == 0);
      CHECK(text(answers[4]) == "last");
    }
  }
}

TEST_CASE("a COPY to the client is a clear error, not an endless answer") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      const PgError error = error_of(
          [&] { client.ask(*connection, {{"COPY (SELECT 1) TO STDOUT", ""}, {"SELECT 2", ""}}); });
      CHECK(error.fatal());
      CHECK_FALSE(connection->is_open());
    }
  }
}

TEST_CASE("a large answer arrives whole, and so do two thousand answers") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      CHECK(client.value(*connection, "SELECT repeat('x', 10000000)").size() == 10000000);
      std::vector<Query> queries;
      for (int i = 0; i < 2000; ++i) queries.push_back({"SELECT " + std::to_string(i), ""});
      const auto answers = client.ask(*connection, queries);
      REQUIRE(answers.size() == 2000);
      for (std::size_t i = 0; i < 2000; ++i) REQUIRE(text(answers[i]) == std::to_string(i));
    }
  }
}

TEST_CASE("queries and answers that fill every buffer both ways do not wait for each other") {
  for (const Server& server : servers()) {
    for (const char* sslmode : {"disable", "verify-full"}) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", sslmode " << sslmode) {
        Client client;
        const auto connection = client.connect(server.with("sslmode=" + std::string(sslmode)));
        const std::string long_text(140000, 'q');
        const std::vector<Query> queries(100, {"SELECT '" + long_text + "'", ""});
        const auto answers = client.ask(*connection, queries);
        REQUIRE(answers.size() == 100);
        for (const Answer& answer : answers) REQUIRE(text(answer).size() == long_text.size());
      }
    }
  }
}

TEST_CASE("statement_timeout ends the query at the server, not the session") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, {"test", 500ms, 500ms});
      const auto answers =
          client.ask(*connection, {{"SELECT pg_sleep(60)", ""}, {"SELECT 'next'", ""}});
      REQUIRE(answers.size() == 2);
      const auto& error = std::get<PgError>(answers[0]);
      CHECK(error.sqlstate() == "57014");
      CHECK(to_string(error.reason()) == "canceled");
      CHECK_FALSE(error.fatal());
      CHECK(text(answers[1]) == "next");
    }
  }
}

TEST_CASE("lock_timeout ends the wait for a lock, not the session") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Admin admin(server);
      admin.run("CREATE TABLE IF NOT EXISTS public.locked_rows (a int)");
      Client client;
      const auto holder = client.connect(server.dsn);
      client.value(*holder, "BEGIN");
      client.value(*holder, "LOCK TABLE public.locked_rows");
      const auto connection = client.connect(server.dsn, {"test", 0ms, 100ms});
      const auto answers =
          client.ask(*connection, {{"SELECT * FROM public.locked_rows", ""}, {"SELECT 1", ""}});
      const auto& error = std::get<PgError>(answers[0]);
      CHECK(error.sqlstate() == "55P03");
      CHECK(to_string(error.reason()) == "lock_timeout");
      CHECK(text(answers[1]) == "1");
      client.value(*holder, "ROLLBACK");
      admin.run("DROP TABLE public.locked_rows");
    }
  }
}

TEST_CASE(
    "the deadline returns what has arrived, ends the connection and then the server's session") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn, {"test", 5s});
      const std::string pid = std::to_string(connection->backend_pid());
      const std::vector<Query> queries = {
          {"SELECT 'first'", ""}, {"SELECT pg_sleep(60)", ""}, {"SELECT 3", ""}};
      std::vector<Answer> answers;
      const PgError error = error_of([&] {
        run(client.io,
            connection->pipeline(queries, std::chrono::steady_clock::now() + 2s, answers));
      });
      CHECK(to_string(error.phase()) == "query");
      CHECK(to_string(error.reason()) == "timeout");
      CHECK(error.fatal());
      REQUIRE(answers.size() == 1);
      CHECK(text(answers[0]) == "first");
      CHECK_FALSE(connection->is_open());
      Admin admin(server);
      client.eventually("the session is over", [&] {
        return admin.value("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0";
      });
    }
  }
}

TEST_CASE("asking a closed connection is an error of its own") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      connection->close();
      connection->close();
      CHECK_FALSE(connection->is_open());
      CHECK(to_string(error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}); }).reason()) ==
            "stopped");
      CHECK(to_string(error_of([&] {
                        run(client.io, connection->watch(std::chrono::steady_clock::now() + 1s));
                      }).reason()) == "stopped");
    }
  }
}

}  // namespace
}  // namespace pgconn::test
