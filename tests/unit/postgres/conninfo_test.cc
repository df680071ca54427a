#include "postgres/conninfo.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/environment.h"

namespace pgconn::postgres {
namespace {

using test::LibpqEnvironment;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string failure(std::string_view dsn) {
  try {
    ConnInfo::parse(dsn);
  } catch (const PgError& error) {
    CHECK(error.phase() == Phase::kConfig);
    CHECK(error.reason() == Reason::kConfig);
    CHECK(error.sqlstate().empty());
    return error.what();
  }
  return "";
}

std::string parameter(const ConnInfo& info, std::string_view keyword) {
  std::string value;
  int count = 0;
  for (const auto& [key, text] : info.parameters(info.endpoints(), "pgconn_exporter/test")) {
    if (key != keyword) continue;
    value = text;
    ++count;
  }
  CHECK(count <= 1);
  return value;
}

TEST_CASE("an empty string means libpq's default server, over a Unix socket") {
  const LibpqEnvironment environment;
  for (const char* dsn : {"", "  \n"}) {
    const ConnInfo info = ConnInfo::parse(dsn);
    REQUIRE(info.endpoints().size() == 1);
    const Endpoint& endpoint = info.endpoints()[0];
    CHECK(endpoint.is_unix_socket());
    CHECK(endpoint.hostaddr.empty());
    CHECK(endpoint.port == "5432");
    CHECK(info.display() == endpoint.host + ":5432");
    CHECK(info.value("sslmode") == "require");
    CHECK_FALSE(info.user().empty());
    CHECK(info.database() == info.user());
  }
}

TEST_CASE("the environment fills what the string leaves out") {
  LibpqEnvironment environment;
  environment.set("PGHOST", "db.example");
  environment.set("PGPORT", "6000");
  environment.set("PGUSER", "watcher");
  environment.set("PGDATABASE", "orders");
  environment.set("PGSSLMODE", "verify-full");
  const ConnInfo all = ConnInfo::parse("");
  CHECK(all.display() == "db.example:6000");
  CHECK(all.user() == "watcher");
  CHECK(all.database() == "orders");
  CHECK(all.value("sslmode") == "verify-full");
  const ConnInfo some = ConnInfo::parse("host=other sslmode=disable");
  CHECK(some.display() == "other:6000");
  CHECK(some.user() == "watcher");
  CHECK_FALSE(some.wants_tls());
}

TEST_CASE("what the string leaves empty stays empty") {
  LibpqEnvironment environment;
  environment.set("PGOPTIONS", "-c work_mem=1GB");
  environment.set("PGPASSWORD", "hunter2");
  const ConnInfo info = ConnInfo::parse("host=a options='' password=''");
  const auto parameters = info.parameters(info.endpoints(), "pgconn_exporter/test");
  for (const char* keyword : {"options", "password"}) {
    const std::pair<std::string, std::string> none(keyword, "");
    CHECK(std::find(parameters.begin(), parameters.end(), none) != parameters.end());
  }
}

TEST_CASE("PGHOSTADDR is the address of the host that the string names") {
  LibpqEnvironment environment;
  environment.set("PGHOSTADDR", "127.0.0.9");
  const ConnInfo info = ConnInfo::parse("host=db");
  REQUIRE(info.endpoints().size() == 1);
  CHECK(info.endpoints()[0].host == "db");
  CHECK(info.endpoints()[0].hostaddr == "127.0.0.9");
}

TEST_CASE("a service file fills what string and environment leave out") {
  LibpqEnvironment environment;
  environment.write_services(
      "[orders]\nhost=db.service\nport=7000\nuser=from_service\nsslmode=verify-ca\n");
  environment.set("PGUSER", "from_environment");
  SECTION("named in the string") {
    const ConnInfo info = ConnInfo::parse("service=orders port=7001");
    CHECK(info.display() == "db.service:7001");
    CHECK(info.user() == "from_service");
    CHECK(info.value("sslmode") == "verify-ca");
    CHECK(parameter(info, "service") == "orders");
  }
  SECTION("named in a URI") {
    const ConnInfo info = ConnInfo::parse("postgresql:///?service=orders");
    CHECK(info.display() == "db.service:7000");
    CHECK(parameter(info, "service") == "orders");
  }
  SECTION("named by PGSERVICE") {
    environment.set("PGSERVICE", "orders");
    CHECK(ConnInfo::parse("").display() == "db.service:7000");
    CHECK(ConnInfo::parse("host=db.string").display() == "db.string:7000");
  }
  SECTION("named in the string, while PGSERVICE names another") {
    environment.set("PGSERVICE", "nope");
    CHECK(ConnInfo::parse("service=orders").display() == "db.service:7000");
  }
  SECTION("that does not know the service") {
    CHECK(failure("service=nope") ==
          "not a usable connection string: definition of service \"nope\" not found");
    CHECK(check_dsn("service=nope").has_value());
  }
}

TEST_CASE("a URI is read like keywords and values") {
  const LibpqEnvironment environment;
  const ConnInfo info = ConnInfo::parse(
      "postgresql://w%40tcher@db.example:6432/orders%20db?sslmode=verify-full&sslrootcert=/ca.crt");
  CHECK(info.display() == "db.example:6432");
  CHECK(info.user() == "w@tcher");
  CHECK(info.database() == "orders db");
  CHECK(info.value("sslmode") == "verify-full");
  CHECK(info.value("sslrootcert") == "/ca.crt");
}

TEST_CASE("several hosts keep their order, with a port each or one for all") {
  const LibpqEnvironment environment;
  const ConnInfo each = ConnInfo::parse("host=a,b,c port=1,2,3");
  REQUIRE(each.endpoints().size() == 3);
  CHECK(each.endpoints()[2].host == "c");
  CHECK(each.endpoints()[2].port == "3");
  const ConnInfo one = ConnInfo::parse("postgresql://a,b/x?port=9");
  REQUIRE(one.endpoints().size() == 2);
  CHECK(one.endpoints()[0].port == "9");
  CHECK(one.endpoints()[1].port == "9");
  CHECK(one.display() == "a:9");
  CHECK(contains(failure("host=a,b port=1,2,3"), "could not match 3 port numbers to 2 hosts"));
}

TEST_CASE("an empty host in a list is the default socket directory, not the host before it") {
  LibpqEnvironment environment;
  const std::string directory = ConnInfo::parse("").endpoints()[0].host;
  environment.set("PGHOST", "elsewhere");
  const ConnInfo info = ConnInfo::parse("host=a,,b port=1,2,3");
  REQUIRE(info.endpoints().size() == 3);
  CHECK(info.endpoints()[1].host == directory);
  CHECK(info.endpoints()[1].port == "2");
}

TEST_CASE("an address without a name is shown itself, an IPv6 address in brackets") {
  const LibpqEnvironment environment;
  CHECK(ConnInfo::parse("hostaddr=127.0.0.1 port=1").display() == "127.0.0.1:1");
  CHECK(ConnInfo::parse("host=::1 port=1").display() == "[::1]:1");
  CHECK(ConnInfo::parse("postgresql://[fe80::1%25eth0]:7/x").display() == "[fe80::1%eth0]:7");
  CHECK(ConnInfo::parse("host=/run/pg port=1").display() == "/run/pg:1");
  CHECK(ConnInfo::parse("host=@abstract port=1").endpoints()[0].is_unix_socket());
}

TEST_CASE("TLS is required unless the string says otherwise") {
  LibpqEnvironment environment;
  CHECK(ConnInfo::parse("host=a").value("sslmode") == "require");
  CHECK(ConnInfo::parse("host=a").wants_tls());
  for (const char* mode : {"disable", "require", "verify-ca", "verify-full"}) {
    CHECK(ConnInfo::parse("host=a sslmode=" + std::string(mode)).value("sslmode") == mode);
  }
  environment.set("PGSSLMODE", "prefer");  // libpq's own default, which nobody need have meant
  CHECK(ConnInfo::parse("host=a").value("sslmode") == "require");
}

TEST_CASE("a sslmode that hides why TLS failed is refused, wherever it comes from") {
  LibpqEnvironment environment;
  CHECK(failure("host=a sslmode=prefer") ==
        "sslmode=prefer is not supported: it hides why TLS failed; use verify-full, verify-ca, "
        "require or "
        "disable");
  CHECK(contains(failure("postgresql://a/x?sslmode=allow"), "sslmode=allow is not supported"));
  CHECK(failure("host=a sslmode=verify") ==
        "sslmode must be verify-full, verify-ca, require or disable");
  environment.set("PGSSLMODE", "allow");
  CHECK(contains(failure("host=a"), "sslmode=allow is not supported"));
}

TEST_CASE("what the program decides itself is sent once, whatever the string says") {
  const LibpqEnvironment environment;
  const ConnInfo info = ConnInfo::parse(
      "host=a application_name=mine gssencmode=require client_encoding=LATIN1 "
      "fallback_application_name=x "
      "keepalives=0");
  CHECK(parameter(info, "application_name") == "pgconn_exporter/test");
  CHECK(parameter(info, "gssencmode") == "disable");
  CHECK(parameter(info, "client_encoding") == "UTF8");
  CHECK(parameter(info, "fallback_application_name").empty());
  CHECK(parameter(info, "keepalives") == "0");
}

TEST_CASE("resolved addresses are handed over beside their names, position by position") {
  const LibpqEnvironment environment;
  const ConnInfo info = ConnInfo::parse("host=a,/run/pg port=1,2");
  const auto parameters = info.parameters(
      {{"a", "127.0.0.1", "1"}, {"a", "::1", "1"}, {"/run/pg", "", "2"}}, "pgconn_exporter/test");
  std::map<std::string, std::string> sent(parameters.begin(), parameters.end());
  CHECK(sent["host"] == "a,a,/run/pg");
  CHECK(sent["hostaddr"] == "127.0.0.1,::1,");
  CHECK(sent["port"] == "1,1,2");
}

TEST_CASE("a password is sent and shown nowhere else") {
  LibpqEnvironment environment;
  environment.set("PGPASSWORD", "hunter2");
  ConnInfo info = ConnInfo::parse("host=a user=u");
  CHECK(parameter(info, "password") == "hunter2");
  CHECK(info.value("password").empty());
  CHECK_FALSE(contains(info.display(), "hunter2"));
  info.set_password("other");
  CHECK(parameter(info, "password") == "other");
}

TEST_CASE("a password file that others can read is passed on without a message on stderr") {
  LibpqEnvironment environment;
  environment.write_passfile("*:*:*:*:hunter2\n", 0644);
  const int shown = dup(STDERR_FILENO);
  std::FILE* const caught = std::tmpfile();
  REQUIRE(caught != nullptr);
  dup2(fileno(caught), STDERR_FILENO);
  const ConnInfo info = ConnInfo::parse("host=a user=u");
  const ConnInfo local = ConnInfo::parse("user=u");
  std::fflush(stderr);
  const off_t written = lseek(STDERR_FILENO, 0, SEEK_END);
  dup2(shown, STDERR_FILENO);
  close(shown);
  std::fclose(caught);
  CHECK(written == 0);
  CHECK_FALSE(parameter(info, "passfile").empty());
  CHECK_FALSE(parameter(local, "passfile").empty());
  CHECK(parameter(info, "password").empty());
}

TEST_CASE("a misspelled keyword gets a suggestion, an unknown one none") {
  const LibpqEnvironment environment;
  CHECK(failure("hots=a") ==
        "not a usable connection string: invalid connection option …; did you mean \"host\"?");
  CHECK(contains(failure("postgresql://a/x?sslmod=require"), "did you mean \"sslmode\"?"));
  CHECK_FALSE(contains(failure("something=a"), "did you mean"));
}

TEST_CASE("for a value with a blank, the error mentions quotes") {
  const LibpqEnvironment environment;
  CHECK(failure("host=a dbname=my db") ==
        "not a usable connection string: missing \"=\" after …; put values that contain blanks in "
        "single "
        "quotes");
}

TEST_CASE("a port that is none is refused before anything is connected") {
  const LibpqEnvironment environment;
  for (const char* port : {"0", "65536", "-1", "abc", "54 32", "5432x"}) {
    CAPTURE(port);
    CHECK(
        contains(failure("host=a port='" + std::string(port) + "'"), "the port must be a number"));
  }
  CHECK(failure("host=a port=65535").empty());
}

TEST_CASE("no error repeats a password or a part of one") {
  const LibpqEnvironment environment;
  const std::vector<std::string> broken = {
      "hunter2",
      "host=a password=my hunter2",
      "host=a password=my hunter2=x",
      "host=a password='hunter2",
      "host=a password=hunter2 sslmode=prefer",
      "host=a password=hunter2 sslmod=require",
      "host=a password=hunter2 port=none",
      "host=a password=hunter2 port=1,2",
      "host=a passwort=hunter2",
      "host=a passwordhunter2",
      "host=a password=a\" x\"hunter2",
      "host=a password=x :\"hunter2\"",
      "host=a ]\"hunter2\"=x",
      "host=a password=x =\"hunter2 y",
      "host=a sslmode=hunter2",
      "host=a gssencmode=hunter2 hunter2",
      "host=a channel_binding=hunter2",
      "host=a ssl_min_protocol_version=hunter2",
      "postgresql://u:hunter2@a:none/x",
      "postgresql://u:hunter2/x",
      "postgresql://u:x/hunter2@a/x",
      "postgresql://u:x@hunter2@a/x",
      "postgresql://u:x@y:hunter2@a/x",
      "postgresql://u:hunter2%zz@a/x",
      "postgresql://u:hunter2%00@a/x",
      "postgresql://u:hunter2%@a/x",
      "postgresql://u:a\"hunter2@[::1/x",
      "postgresql://u:hunter2@[]/x",
      "postgresql://u:hunter2@[::1]x/y",
      "postgresql://u:hunter2@a/x?sslmode",
      "postgresql://u@a/x?password=hunter2&nope=1",
      "postgresql://u@a/x?password=hunter2&sslmode=require=x",
      "postgresql://u@a/x?hunter2",
      "postgresql://u@a/x?hunter2=1",
      "postgresql://u:hunter2@a/x?sslmode=allow",
      "postgres://u:hunter2@a,b:1,c:2,d:x/y",
      std::string("host=a\0password=hunter2", 23),
  };
  for (const std::string& dsn : broken) {
    CAPTURE(dsn);
    const std::string parsing = failure(dsn);
    CHECK_FALSE(parsing.empty());
    CHECK_FALSE(contains(parsing, "hunter"));
    const auto checking = check_dsn(dsn);
    REQUIRE(checking.has_value());
    CHECK_FALSE(contains(*checking, "hunter"));
  }
}

TEST_CASE("random order is taken over from libpq, whatever its version") {
  Keywords keywords = {{"sslmode", "require"}, {"load_balance_hosts", "random"}};
  CHECK(take_over_shuffling(keywords));
  CHECK(keywords == Keywords{{"sslmode", "require"}, {"load_balance_hosts", "disable"}});
  CHECK_FALSE(take_over_shuffling(keywords));
  for (Keywords others : {Keywords{}, Keywords{{"dbname", "random"}}}) {
    const Keywords before = others;
    CHECK_FALSE(take_over_shuffling(others));
    CHECK(others == before);
  }
}

TEST_CASE("a configuration file may hold no password") {
  const LibpqEnvironment environment;
  for (const char* dsn : {"host=a password=hunter2", "postgresql://u:hunter2@a/x",
                          "postgresql://a/x?password=hunter2", "host=a sslpassword=hunter2"}) {
    CAPTURE(dsn);
    const auto problem = check_dsn(dsn);
    REQUIRE(problem.has_value());
    CHECK(contains(*problem, "password_file"));
    CHECK_FALSE(contains(*problem, "hunter2"));
  }
}

TEST_CASE("a configuration file may hold every usable string without one") {
  LibpqEnvironment environment;
  environment.set("PGPASSWORD", "hunter2");  // not in the string: not the file's concern
  for (const char* dsn : {"", "host=a", "host=a,b port=1,2 sslmode=verify-full",
                          "postgresql://u@[::1]:5432/x?sslmode=disable", "host=/run/postgresql"}) {
    CAPTURE(dsn);
    CHECK_FALSE(check_dsn(dsn).has_value());
  }
}

}  // namespace
}  // namespace pgconn::postgres
