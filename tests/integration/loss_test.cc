#include <memory>
#include <optional>

#include "tests/integration/servers.h"
#include "tests/integration/waiter.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using postgres::Connection;
using Clock = std::chrono::steady_clock;

std::string pid(const Connection& connection) { return std::to_string(connection.backend_pid()); }

// Both, as the last message reaches a client differently.
constexpr const char* kTransports[] = {"sslmode=disable", "sslmode=verify-full"};

TEST_CASE("a watch that is interrupted ends as at its deadline, and the connection goes on") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      const auto waiter = Waiter::watching(client, *connection);
      CHECK_FALSE(waiter->over());
      connection->interrupt();
      client.eventually("the watch is over", [&] { return waiter->over(); });
      CHECK_FALSE(waiter->lost());
      CHECK(client.value(*connection, "SELECT 1") == "1");
    }
  }
}

TEST_CASE("a query under way is not disturbed by an interruption") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      Admin admin(server);
      const auto connection = client.connect(server.dsn);
      const auto waiter = Waiter::asking(client, *connection);
      wait_until_active(client, admin, *connection);
      connection->interrupt();
      admin.value("SELECT pg_cancel_backend(" + pid(*connection) + ")");
      client.eventually("the answer is there", [&] { return waiter->over(); });
      CHECK_FALSE(waiter->lost());
      CHECK(connection->is_open());
    }
  }
}

TEST_CASE("keepalives leave the longer of idle time and interval silent") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto gap = [&](std::string_view keywords) {
        return client.connect(server.with(keywords))->keepalive_gap();
      };
      CHECK(gap("keepalives_idle=60 keepalives_interval=10") == 60s);
      CHECK(gap("keepalives_idle=60 keepalives_interval=75") == 75s);
      CHECK(gap("keepalives=0") == std::nullopt);
    }
  }
}

TEST_CASE(
    "a session ended by an administrator says so while idle, mid-query and to the next question") {
  for (const Server& server : servers()) {
    for (const char* transport : kTransports) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << transport) {
        Client client;
        Admin admin(server);
        const auto connection = client.connect(server.with(transport));
        const std::string terminate = "SELECT pg_terminate_backend(" + pid(*connection) + ")";
        SECTION("idle") {
          const auto waiter = Waiter::watching(client, *connection);
          CHECK_FALSE(waiter->over());
          admin.run(terminate);
          check_loss(waiter->end(client), "idle", "terminated", "57P01");
          CHECK_FALSE(connection->is_open());
        }
        SECTION("mid-query") {
          const auto waiter = Waiter::asking(client, *connection);
          wait_until_active(client, admin, *connection);
          admin.run(terminate);
          check_loss(waiter->end(client), "query", "terminated", "57P01");
          CHECK_FALSE(connection->is_open());
        }
        SECTION("unwatched") {
          admin.run(terminate);
          client.eventually("the session is over", [&] {
            return admin.value("SELECT count(*) FROM pg_stat_activity WHERE pid = " +
                               pid(*connection)) == "0";
          });
          check_loss(error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}); }), "query",
                     "terminated", "57P01");
        }
      }
    }
  }
}

TEST_CASE("a session that the server ends for its idleness says which timeout it was") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      SECTION("in a transaction") {
        const auto connection = client.connect(server.dsn);
        client.value(*connection, "SET idle_in_transaction_session_timeout = 100");
        client.value(*connection, "BEGIN");
        check_loss(Waiter::watching(client, *connection)->end(client), "idle", "terminated",
                   "25P03");
      }
      if (server.version >= 14) {
        SECTION("outside of one") {
          const auto connection = client.connect(server.dsn);
          client.value(*connection, "SET idle_session_timeout = 100");
          check_loss(Waiter::watching(client, *connection)->end(client), "idle", "terminated",
                     "57P05");
        }
      }
      if (server.version >= 17) {
        SECTION("with a transaction that took too long") {
          const auto connection = client.connect(server.dsn);
          client.value(*connection, "SET transaction_timeout = 200");
          client.value(*connection, "BEGIN");
          check_loss(Waiter::watching(client, *connection)->end(client), "idle", "terminated",
                     "25P04");
        }
      }
    }
  }
}

TEST_CASE("a crash is a bare close to its victim and an announced end to everybody else") {
  for (const Server& server : servers()) {
    for (const char* transport : kTransports) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << transport) {
        Client client;
        const auto victim = client.connect(server.with(transport));
        const auto idle = client.connect(server.with(transport));
        const auto busy = client.connect(server.with(transport));
        const auto victim_waits = Waiter::watching(client, *victim);
        const auto idle_waits = Waiter::watching(client, *idle);
        const auto busy_waits = Waiter::asking(client, *busy);
        Admin admin(server);
        wait_until_active(client, admin, *busy);
        admin.run_fatally("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; kill -9 " + pid(*victim) +
                          "'");
        check_loss(victim_waits->end(client), "idle", "closed", "");
        check_loss(idle_waits->end(client), "idle", "terminated", "57P02");
        check_loss(busy_waits->end(client), "query", "terminated", "57P02");
        wait_until_up(server);
      }
    }
  }
}

TEST_CASE("an immediate shutdown is announced to whoever is connected") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const std::string before = start_time(server);
      const std::string_view sqlstate = server.version == 13 ? "57P02" : "57P01";
      Client client;
      const auto idle = client.connect(server.dsn);
      const auto busy = client.connect(server.dsn);
      const auto idle_waits = Waiter::watching(client, *idle);
      const auto busy_waits = Waiter::asking(client, *busy);
      {
        Admin admin(server);
        wait_until_active(client, admin, *busy);
      }
      begin_restart(server, "immediate");
      check_loss(idle_waits->end(client), "idle", "terminated", sqlstate);
      check_loss(busy_waits->end(client), "query", "terminated", sqlstate);
      wait_until_up(server, before);
    }
  }
}

TEST_CASE("closing a connection wakes the coroutine that waits on it") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      auto connection = client.connect(server.dsn);
      SECTION("watching, closed") {
        const auto waiter = Waiter::watching(client, *connection);
        connection->close();
        check_loss(waiter->end(client), "idle", "stopped", "");
      }
      SECTION("asking, closed") {
        const auto waiter = Waiter::asking(client, *connection);
        connection->close();
        CHECK(to_string(waiter->end(client).reason()) == "stopped");
      }
      SECTION("watching, destroyed") {
        const auto waiter = Waiter::watching(client, *connection);
        connection.reset();
        CHECK(to_string(waiter->end(client).reason()) == "stopped");
      }
      SECTION("asking, destroyed") {
        const auto waiter = Waiter::asking(client, *connection);
        connection.reset();
        CHECK(to_string(waiter->end(client).reason()) == "stopped");
      }
    }
  }
}

TEST_CASE("a loop that ends with coroutines waiting on connections leaves nothing behind") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      std::unique_ptr<Waiter> watching, asking;  // outlive the loop that holds their coroutines
      std::unique_ptr<Connection> idle, busy;
      {
        Client client;
        idle = client.connect(server.dsn);
        busy = client.connect(server.dsn);
        watching = Waiter::watching(client, *idle);
        asking = Waiter::asking(client, *busy);
        idle.reset();
        busy.reset();
      }
      CHECK_FALSE(watching->over());
      CHECK_FALSE(asking->over());
    }
  }
}

TEST_CASE("notices on an idle connection do not end the watch, its deadline does") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      client.value(*connection, "LISTEN something");
      Admin(server).run("NOTIFY something, 'payload'");
      CHECK_FALSE(run(client.io, connection->watch(Clock::now() + 200ms)).has_value());
      CHECK_FALSE(run(client.io, connection->watch(Clock::now() - 1s)).has_value());
      CHECK(client.value(*connection, "DO $$ BEGIN RAISE WARNING 'mind'; END $$").empty());
      CHECK(client.value(*connection, "SELECT 'alive'") == "alive");
    }
  }
}

}  // namespace
}  // namespace pgconn::test
