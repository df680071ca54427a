#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <set>

#include "tests/integration/servers.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using postgres::Connection;
using postgres::ConnectOptions;
using postgres::ConnInfo;

TEST_CASE("there are servers to test against: scripts/test starts them and sets PGBOX_<version>") {
  REQUIRE_FALSE(servers().empty());
}

TEST_CASE("a connection over TLS by name has a time for every phase") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.with("host=localhost"));
      const auto& timings = connection->timings();
      CHECK(timings.resolve.has_value());
      REQUIRE(timings.tcp.has_value());
      REQUIRE(timings.tls.has_value());
      REQUIRE(timings.startup.has_value());
      CHECK(timings.total >= *timings.resolve + *timings.tcp + *timings.tls + *timings.startup);
      CHECK(connection->is_open());
      CHECK(connection->server_version() / 10000 == server.version);
      CHECK(connection->host() == "localhost");
      CHECK(connection->port() == server.port);
      CHECK(client.value(*connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") ==
            "t");
      CHECK(client.value(*connection, "SELECT pg_backend_pid()") ==
            std::to_string(connection->backend_pid()));
    }
  }
}

TEST_CASE("a plain connection by address has no time for a lookup or for TLS") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.with("hostaddr=127.0.0.1 sslmode=disable"));
      CHECK_FALSE(connection->timings().resolve.has_value());
      CHECK(connection->timings().tcp.has_value());
      CHECK_FALSE(connection->timings().tls.has_value());
      CHECK(connection->timings().startup.has_value());
    }
  }
}

TEST_CASE("a Unix socket is connected to without TLS, whatever sslmode says") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const std::string directory = Admin(server).value("SHOW unix_socket_directories");
      Client client;
      const auto connection = client.connect(server.with("host=" + directory + " sslmode=require"));
      CHECK_FALSE(connection->timings().resolve.has_value());
      CHECK_FALSE(connection->timings().tls.has_value());
      CHECK(connection->timings().startup.has_value());
      CHECK(client.value(*connection, "SELECT inet_client_addr()") == "NULL");
      CHECK(connection->host() == directory);
    }
  }
}

TEST_CASE("a name with several addresses falls through to the one that answers") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      client.resolver = postgres::Resolver(client.io.get_executor(), [](const std::string&) {
        return postgres::Resolver::Answer{{"127.0.0.2", "127.0.0.1"}, ""};
      });
      const auto connection = client.connect(server.with("host=localhost"));
      CHECK(client.value(*connection, "SELECT host(inet_server_addr())") == "127.0.0.1");
      CHECK(connection->timings().tls.has_value());
    }
  }
}

TEST_CASE("a name that does not resolve does not affect the other hosts") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      client.resolver = postgres::Resolver(client.io.get_executor(), [](const std::string& host) {
        return host == "gone" ? postgres::Resolver::Answer{{}, "Name not known"}
                              : postgres::Resolver::Answer{{"127.0.0.1"}, ""};
      });
      const auto connection = client.connect(server.with("host=gone,localhost"));
      CHECK(connection->host() == "localhost");
      const auto error = client.refusal(server.with("host=gone"));
      CHECK(to_string(error.phase()) == "resolve");
      CHECK(to_string(error.reason()) == "resolve");
    }
  }
}

TEST_CASE(
    "a session is known by its purpose and has its limits, not the server's defaults of them") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      ConnectOptions options{"canary", 1234ms, 567ms, true};
      const auto connection = client.connect(server.dsn, options);
      CHECK(client.value(*connection, "SHOW application_name") == "pgconn_exporter/canary");
      CHECK(client.value(*connection, "SHOW statement_timeout") == "1234ms");
      CHECK(client.value(*connection, "SHOW lock_timeout") == "567ms");
      CHECK(client.value(*connection, "SHOW search_path") == "pg_catalog");
      CHECK(client.value(*connection,
                         "SELECT string_agg(reset_val, ',') FROM pg_settings WHERE name IN "
                         "('statement_timeout', 'lock_timeout')") == "0,0");
    }
  }
}

TEST_CASE("a session held on purpose outlives idle_session_timeout once it was set up") {
  for (const Server& server : servers()) {
    if (server.version < 14) continue;
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Admin(server).run("ALTER DATABASE postgres SET idle_session_timeout = 1000");
      Client client;
      const auto connection = client.connect(server.dsn, {"canary", 0ms, 0ms, true});
      CHECK(client.ask(*connection, {}).empty());
      CHECK_FALSE(
          run(client.io, connection->watch(std::chrono::steady_clock::now() + 1500ms)).has_value());
      CHECK(client.value(*connection, "SELECT 'alive'") == "alive");
      CHECK(client.value(*connection,
                         "SELECT reset_val FROM pg_settings WHERE name = 'idle_session_timeout'") ==
            "1000");
      Admin(server).run("ALTER DATABASE postgres RESET idle_session_timeout");
    }
  }
}

TEST_CASE("two hundred connections at once all succeed on one loop") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const ConnInfo info = ConnInfo::parse(server.dsn);
      // A variable: g++ 12 destroys an aggregate made inside an await expression at a wrong
      // address.
      const ConnectOptions options{"many"};
      std::vector<std::unique_ptr<Connection>> held;
      const auto deadline = std::chrono::steady_clock::now() + 60s;
      for (int i = 0; i < 200; ++i) {
        asio::co_spawn(
            client.io,
            [&]() -> asio::awaitable<void> {
              held.push_back(co_await Connection::connect(client.io.get_executor(), client.resolver,
                                                          info, options, deadline));
            },
            asio::detached);
      }
      client.io.restart();
      client.io.run();
      REQUIRE(held.size() == 200);
      std::set<int> pids;
      for (const auto& connection : held) pids.insert(connection->backend_pid());
      CHECK(pids.size() == 200);
      CHECK(client.value(*held.front(),
                         "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                         "'pgconn_exporter/many'") == "200");
      held.clear();
      Admin admin(server);
      client.eventually("no session is left", [&] {
        return admin.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                   "'pgconn_exporter/many'") == "0";
      });
    }
  }
}

}  // namespace
}  // namespace pgconn::test
