#include "tests/integration/servers.h"

#include <unistd.h>

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdlib>

#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using postgres::Answer;
using postgres::Connection;
using postgres::ConnInfo;
using postgres::PgError;
using postgres::Rows;
using Clock = std::chrono::steady_clock;

std::vector<Server> servers_of_environment() {
  std::vector<Server> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string prefix = "PGBOX_";
    const std::size_t equals = text.find('=');
    if (!text.starts_with(prefix) || equals == std::string::npos) continue;
    const std::string name = text.substr(prefix.size(), equals - prefix.size());
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
    Server server{std::stoi(name), text.substr(equals + 1), "", ""};
    const ConnInfo info = ConnInfo::parse(server.dsn);
    server.port = info.endpoints().front().port;
    server.ca = info.value("sslrootcert");
    found.push_back(std::move(server));
  }
  std::sort(found.begin(), found.end(),
            [](const Server& a, const Server& b) { return a.version < b.version; });
  return found;
}

asio::awaitable<void> pause(asio::io_context& io) {
  asio::steady_timer timer(io, std::chrono::milliseconds(20));
  asio::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

const std::vector<Server>& servers() {
  static const std::vector<Server> all = servers_of_environment();
  return all;
}

PgError error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const PgError& error) {
    return error;
  }
  FAIL("ended without an error");
  std::abort();  // FAIL throws
}

std::unique_ptr<Connection> Client::connect(const std::string& dsn,
                                            postgres::ConnectOptions options,
                                            std::chrono::milliseconds time) {
  const ConnInfo info = ConnInfo::parse(dsn);
  return test::run(
      io, Connection::connect(io.get_executor(), resolver, info, options, Clock::now() + time));
}

PgError Client::refusal(const std::string& dsn, std::chrono::milliseconds time) {
  return error_of([&] { connect(dsn, {"test"}, time); });
}

std::vector<Answer> Client::ask(Connection& connection, const std::vector<postgres::Query>& queries,
                                std::chrono::milliseconds time) {
  std::vector<Answer> answers;
  test::run(io, connection.pipeline(queries, Clock::now() + time, answers));
  return answers;
}

std::string Client::value(Connection& connection, const std::string& sql) {
  const std::vector<Answer> answers = ask(connection, {{sql, ""}});
  REQUIRE(answers.size() == 1);
  if (const auto* error = std::get_if<PgError>(&answers[0])) FAIL(sql << ": " << error->what());
  const Rows& rows = std::get<Rows>(answers[0]);
  return rows.empty() ? "" : std::string(postgres::text_or(rows.at(0, 0), "NULL"));
}

void Client::eventually(const std::string& what, const std::function<bool()>& condition) {
  const auto end = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > end) FAIL("never happened: " << what);
    test::run(io, pause(io));
  }
}

Admin::Admin(const Server& server)
    : server_(server), connection_(client_.connect(server.plain(), {"admin"})) {}

void Admin::run_fatally(const std::string& sql) {
  try {
    client_.ask(*connection_, {{sql, ""}});
  } catch (const PgError& error) {
    CAPTURE(error.what());
    CHECK(error.fatal());
  }
}

void Admin::configure(const std::vector<std::pair<std::string, std::string>>& settings) {
  for (const auto& [name, value] : settings) {
    run(value.empty() ? "ALTER SYSTEM RESET " + name
                      : "ALTER SYSTEM SET " + name + " = '" + value + "'");
  }
  run("SELECT pg_reload_conf()");
  const auto& [name, value] = settings.back();
  const std::string expected =
      value.empty() ? this->value("SELECT setting FROM pg_file_settings WHERE name = '" + name +
                                  "' AND applied")
                    : value;
  client_.eventually("new sessions see " + name + " = " + expected, [&, name = name] {
    const auto fresh = client_.connect(server_.plain(), {"admin"});
    return client_.value(*fresh, "SHOW " + name) == expected;
  });
}

void Admin::detach(const std::string& command) {
  // It reads what COPY writes: one that exits without doing so may break the pipe.
  run("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; setsid " + command + " >/dev/null 2>&1 &'");
}

Configured::Configured(const Server& server,
                       std::vector<std::pair<std::string, std::string>> settings)
    : server_(server), settings_(std::move(settings)) {
  Admin(server_).configure(settings_);
}

Configured::~Configured() {
  for (auto& [name, value] : settings_) value.clear();
  Admin(server_).configure(settings_);
}

PasswordRole::PasswordRole(const Server& server) : server_(server) {
  Admin admin(server);
  admin.run("DROP ROLE IF EXISTS locked");
  admin.run("CREATE ROLE locked LOGIN PASSWORD 'right'");
  file_ = admin.value("SHOW hba_file");
  original_ = admin.value("SELECT pg_read_file('" + file_ + "')");
  write(admin, "host all locked 127.0.0.1/32 scram-sha-256\n" + original_);
  Client client;
  client.eventually("pg_hba.conf is read again", [&] {
    try {
      client.connect(server_.with("user=locked"));
      return false;
    } catch (const PgError&) {
      return true;
    }
  });
}

PasswordRole::~PasswordRole() {
  Admin admin(server_);
  write(admin, original_);
  admin.run("DROP ROLE locked");
}

void PasswordRole::write(Admin& admin, const std::string& lines) {
  admin.run("COPY (SELECT unnest(string_to_array($hba$" + lines + "$hba$, E'\\n'))) TO '" + file_ +
            "'");
  admin.run("SELECT pg_reload_conf()");
}

void begin_restart(const Server& server, std::string_view mode) {
  Admin admin(server);
  const std::string programs = admin.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
  const std::string data = admin.value("SHOW data_directory");
  // Not before this session is over, which would else be ended in the middle of its last statement.
  const std::string ours = admin.value("SELECT pg_backend_pid()");
  admin.detach("sh -c \"while kill -0 " + ours + "; do sleep 0.02; done; exec " + programs +
               "/pg_ctl -D " + data + " -l " + data + "/../log -w -m " + std::string(mode) +
               " restart\"");
}

std::string start_time(const Server& server) {
  return Admin(server).value("SELECT pg_postmaster_start_time()");
}

void wait_until_up(const Server& server, const std::string& after) {
  Client client;
  client.eventually("the server is back", [&] {
    try {
      const auto connection = client.connect(server.plain(), {"admin"});
      return client.value(*connection, "SELECT pg_postmaster_start_time()") != after;
    } catch (const PgError& error) {
      CAPTURE(error.what());
      CHECK(error.fatal());
      return false;
    }
  });
}

}  // namespace pgconn::test
