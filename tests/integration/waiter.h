// A coroutine of its own that waits on a connection until it ends, one way or the other.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <optional>

#include "postgres/connection.h"
#include "tests/integration/servers.h"

namespace pgconn::test {

// The client's loop runs the coroutine: the waiter must outlive the loop or be asked for its end.
class Waiter {
 public:
  // Waits in silence.
  static std::unique_ptr<Waiter> watching(Client& client, postgres::Connection& connection);
  // Waits for the answer to SELECT pg_sleep(60).
  static std::unique_ptr<Waiter> asking(Client& client, postgres::Connection& connection);

  bool over() const { return over_; }
  bool lost() const { return error_.has_value(); }
  // What the wait ended with; runs the loop until then.
  postgres::PgError end(Client& client);

 private:
  Waiter() = default;
  static std::unique_ptr<Waiter> begin(
      Client& client, postgres::Connection& connection,
      asio::awaitable<void> (Waiter::*wait)(postgres::Connection& connection));
  asio::awaitable<void> watch(postgres::Connection& connection);
  asio::awaitable<void> ask(postgres::Connection& connection);

  std::optional<postgres::PgError> error_;
  bool over_ = false;
};

// Waits until the server runs what a Waiter asks on this connection.
void wait_until_active(Client& client, Admin& admin, const postgres::Connection& connection);

// How a connection was lost: label values and SQLSTATE, and that it was.
void check_loss(const postgres::PgError& error, std::string_view phase, std::string_view reason,
                std::string_view sqlstate);

}  // namespace pgconn::test
