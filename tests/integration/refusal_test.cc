#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/integration/servers.h"
#include "tests/integration/stranger.h"
#include "tests/support/catch.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using postgres::PgError;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void check(const PgError& error, std::string_view phase, std::string_view reason,
           std::string_view sqlstate) {
  CAPTURE(error.what());
  CHECK(to_string(error.phase()) == phase);
  CHECK(to_string(error.reason()) == reason);
  CHECK(error.sqlstate() == sqlstate);
  CHECK(error.fatal());
  CHECK_FALSE(contains(error.what(), "\n"));
}

TEST_CASE("a wrong password is told from a missing one and from the right one") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const PasswordRole role(server);
      Client client;
      const std::string nowhere = " passfile=/nonexistent";
      check(client.refusal(server.with("user=locked password=hunter2" + nowhere)), "startup",
            "authentication", "28P01");
      CHECK_FALSE(
          contains(client.refusal(server.with("user=locked password=hunter2")).what(), "hunter2"));
      check(client.refusal(server.with("user=locked" + nowhere)), "startup", "password_missing",
            "");
      CHECK(client.connect(server.with("user=locked password=right"))->is_open());
    }
  }
}

TEST_CASE("what the server refuses comes with its SQLSTATE, over TLS and in plain text") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Admin admin(server);
      for (const char* sql :
           {"DROP ROLE IF EXISTS nologin", "CREATE ROLE nologin NOLOGIN",
            "DROP ROLE IF EXISTS crowded", "CREATE ROLE crowded LOGIN CONNECTION LIMIT 1",
            "DROP ROLE IF EXISTS outsider", "CREATE ROLE outsider LOGIN",
            "DROP DATABASE IF EXISTS shut", "CREATE DATABASE shut ALLOW_CONNECTIONS false",
            "DROP DATABASE IF EXISTS private", "CREATE DATABASE private",
            "REVOKE CONNECT ON DATABASE private FROM PUBLIC"}) {
        admin.run(sql);
      }
      for (const char* sslmode : {" sslmode=disable", " sslmode=verify-full"}) {
        CAPTURE(sslmode);
        Client client;
        const auto refusal = [&](const std::string& keywords) {
          return client.refusal(server.with(keywords + sslmode));
        };
        check(refusal("dbname=nope"), "startup", "database", "3D000");
        check(refusal("user=nobody_at_all"), "startup", "role_missing", "28000");
        check(refusal("user=nologin"), "startup", "authentication", "28000");
        check(refusal("dbname=shut"), "startup", "database", "55000");
        check(refusal("user=outsider dbname=private"), "startup", "permission", "42501");
        // A process that has not quite ended still counts for its role.
        std::unique_ptr<postgres::Connection> holder;
        client.eventually("the role's one connection is free", [&] {
          try {
            holder = client.connect(server.with("user=crowded" + std::string(sslmode)));
          } catch (const PgError& error) {
            if (error.sqlstate() != "53300") throw;
          }
          return holder != nullptr;
        });
        check(refusal("user=crowded"), "startup", "too_many_connections", "53300");
      }
      admin.run("DROP DATABASE private");
    }
  }
}

TEST_CASE("TLS that the server does not offer is refused before anything is sent in plain text") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const Configured off(server, {{"ssl", "off"}});
      Client client;
      check(client.refusal(server.with("sslmode=require")), "tls", "tls_unsupported", "");
      CHECK(client.connect(server.plain())->is_open());
    }
  }
}

TEST_CASE("a certificate that is not to be trusted is told from one for another host") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const std::string directory = std::filesystem::path(server.ca).parent_path();
      SECTION("signed by an unknown authority") {
        // Any certificate that did not sign the server's.
        check(client.refusal(server.with("sslrootcert=" + directory + "/client.crt")), "tls",
              "tls_verify", "");
      }
      SECTION("expired") {
        const Configured expired(server, {{"ssl_key_file", directory + "/expired.key"},
                                          {"ssl_cert_file", directory + "/expired.crt"}});
        check(client.refusal(server.dsn), "tls", "tls_verify", "");
        CHECK(client.connect(server.with("sslmode=require sslrootcert=/nonexistent"))->is_open());
      }
      SECTION("for another host") {
        const Configured other(server, {{"ssl_key_file", directory + "/wronghost.key"},
                                        {"ssl_cert_file", directory + "/wronghost.crt"}});
        check(client.refusal(server.dsn), "tls", "tls_hostname", "");
        CHECK(client.connect(server.with("sslmode=verify-ca"))->is_open());
      }
      SECTION("whose authority's file is missing") {
        check(client.refusal(server.with("sslrootcert=/nonexistent/ca.crt")), "tls", "config", "");
      }
    }
  }
}

TEST_CASE("an encrypted key without its passphrase is an error, not a question to the terminal") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const std::filesystem::path tls = std::filesystem::path(server.ca).parent_path();
      std::string directory = std::filesystem::temp_directory_path() / "key-XXXXXX";
      REQUIRE(mkdtemp(directory.data()) != nullptr);
      const std::string key = directory + "/client.key";
      const std::string command =
          "openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:hunter2 -in " +
          (tls / "client.key").string() + " -out " + key + " && chmod 600 " + key;
      REQUIRE(std::system(command.c_str()) == 0);
      const std::string dsn =
          server.with("sslcert=" + (tls / "client.crt").string() + " sslkey=" + key);
      Client client;
      check(client.refusal(dsn), "tls", "config", "");
      CHECK(client.connect(dsn + " sslpassword=hunter2")->is_open());
      std::filesystem::remove_all(directory);
    }
  }
}

TEST_CASE("nobody listening is a refusal in the tcp phase, on a port and on a Unix socket") {
  Client client;
  const int port = Stranger::unused_port();
  check(client.refusal("host=127.0.0.1 sslmode=disable port=" + std::to_string(port)), "tcp",
        "refused", "");
  check(client.refusal("host=/nonexistent"), "tcp", "refused", "");
}

TEST_CASE("the deadline ends a connection attempt in whatever phase it hangs") {
  Client client;
  SECTION("nobody takes the connection") {
    const FullBacklog hole;
    check(client.refusal(hole.dsn("sslmode=disable"), 1s), "tcp", "timeout", "");
  }
  SECTION("nobody answers the request for TLS") {
    const Stranger silent([](Stranger::Line& line) { line.read_until_closed(); });
    check(client.refusal(silent.dsn("sslmode=require"), 1s), "tls", "timeout", "");
  }
  SECTION("nobody shakes hands") {
    const Stranger silent([](Stranger::Line& line) {
      line.read();
      line.write("S");
      line.read_until_closed();
    });
    check(client.refusal(silent.dsn("sslmode=require"), 1s), "tls", "timeout", "");
  }
  SECTION("nobody answers the login") {
    const Stranger silent([](Stranger::Line& line) { line.read_until_closed(); });
    check(client.refusal(silent.dsn("sslmode=disable"), 1s), "startup", "timeout", "");
  }
}

}  // namespace
}  // namespace pgconn::test
