// The real servers that the integration tests run against, and a client with an event loop of its
// own. The servers belong to the tests alone: they are reconfigured, crashed and restarted.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.h"

namespace pgconn::test {

struct Server {
  int version;      // major
  std::string dsn;  // a superuser's, over TLS with verify-full
  std::string port;
  std::string ca;  // path of the certificate authority's certificate

  // The dsn with these keywords in place of its own.
  std::string with(std::string_view keywords) const { return dsn + " " + std::string(keywords); }
  std::string plain() const { return with("sslmode=disable"); }
};

// From the environment: PGBOX_15="host=127.0.0.1 port=… sslmode=verify-full sslrootcert=…" and so
// on, as tests/support/pgbox exports them. Oldest first.
const std::vector<Server>& servers();

// The error that a coroutine ends with; fails the test if it ends otherwise.
postgres::PgError error_of(const std::function<void()>& action);

class Client {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  Client() : resolver(io.get_executor()) {}

  asio::io_context io;
  postgres::Resolver resolver;

  std::unique_ptr<postgres::Connection> connect(const std::string& dsn,
                                                postgres::ConnectOptions options = {"test"},
                                                std::chrono::milliseconds time = kPatience);
  postgres::PgError refusal(const std::string& dsn, std::chrono::milliseconds time = kPatience);

  std::vector<postgres::Answer> ask(postgres::Connection& connection,
                                    const std::vector<postgres::Query>& queries,
                                    std::chrono::milliseconds time = kPatience);
  // The first cell of the answer as text, "NULL" for NULL. Fails the test on an error.
  std::string value(postgres::Connection& connection, const std::string& sql);

  // Waits, while the loop runs on, until the condition holds; fails the test if it never does.
  void eventually(const std::string& what, const std::function<bool()>& condition);
};

// A superuser's plain session for the scene behind the scene.
class Admin {
 public:
  explicit Admin(const Server& server);
  std::string value(const std::string& sql) { return client_.value(*connection_, sql); }
  void run(const std::string& sql) { value(sql); }
  // As run(), where the session may not survive it.
  void run_fatally(const std::string& sql);
  // ALTER SYSTEM for each pair (an empty value resets), reload, and wait until new sessions see it.
  void configure(const std::vector<std::pair<std::string, std::string>>& settings);
  // A shell command on the server's side that outlives the server.
  void detach(const std::string& command);

 private:
  const Server& server_;
  Client client_;
  std::unique_ptr<postgres::Connection> connection_;
};

// Settings of the server for the length of a scene.
class Configured {
 public:
  Configured(const Server& server, std::vector<std::pair<std::string, std::string>> settings);
  ~Configured();
  Configured(const Configured&) = delete;
  Configured& operator=(const Configured&) = delete;

 private:
  const Server& server_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

// The role `locked`, which needs its password `right`, for the length of a scene.
class PasswordRole {
 public:
  explicit PasswordRole(const Server& server);
  ~PasswordRole();
  PasswordRole(const PasswordRole&) = delete;
  PasswordRole& operator=(const PasswordRole&) = delete;

 private:
  void write(Admin& admin, const std::string& lines);

  const Server& server_;
  std::string file_, original_;
};

// Restarts it (mode: fast or immediate) without waiting for the end.
void begin_restart(const Server& server, std::string_view mode);
// Waits until it takes connections again. `after`: a postmaster start time that must be over.
void wait_until_up(const Server& server, const std::string& after = "");
std::string start_time(const Server& server);

}  // namespace pgconn::test
