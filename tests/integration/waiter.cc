#include "tests/integration/waiter.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::test {

using postgres::Connection;
using postgres::PgError;
using Clock = std::chrono::steady_clock;

std::unique_ptr<Waiter> Waiter::begin(Client& client, Connection& connection,
                                      asio::awaitable<void> (Waiter::*wait)(Connection&)) {
  auto waiter = std::unique_ptr<Waiter>(new Waiter);
  asio::co_spawn(client.io, (waiter.get()->*wait)(connection), asio::detached);
  client.io.restart();
  client.io.poll();
  return waiter;
}

std::unique_ptr<Waiter> Waiter::watching(Client& client, Connection& connection) {
  return begin(client, connection, &Waiter::watch);
}

std::unique_ptr<Waiter> Waiter::asking(Client& client, Connection& connection) {
  return begin(client, connection, &Waiter::ask);
}

PgError Waiter::end(Client& client) {
  client.eventually("the wait is over", [this] { return over_; });
  REQUIRE(error_.has_value());
  return *error_;
}

asio::awaitable<void> Waiter::watch(Connection& connection) {
  try {
    error_ = co_await connection.watch(Clock::now() + Client::kPatience * 2);
  } catch (const PgError& error) {
    error_ = error;
  }
  over_ = true;
}

asio::awaitable<void> Waiter::ask(Connection& connection) {
  const std::vector<postgres::Query> queries = {{"SELECT pg_sleep(60)", ""}};
  std::vector<postgres::Answer> answers;
  try {
    co_await connection.pipeline(queries, Clock::now() + Client::kPatience * 2, answers);
  } catch (const PgError& error) {
    error_ = error;
  }
  over_ = true;
}

void wait_until_active(Client& client, Admin& admin, const Connection& connection) {
  client.eventually("the query runs", [&] {
    return admin.value(
               "SELECT state FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
               std::to_string(connection.backend_pid())) == "active";
  });
}

void check_loss(const PgError& error, std::string_view phase, std::string_view reason,
                std::string_view sqlstate) {
  CAPTURE(error.what());
  CHECK(to_string(error.phase()) == phase);
  CHECK(to_string(error.reason()) == reason);
  CHECK(error.sqlstate() == sqlstate);
  CHECK(error.fatal());
}

}  // namespace pgconn::test
