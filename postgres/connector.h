// How whoever needs a session to the target gets one: an interface, so that all who do can be
// tested without a server. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>

#include "postgres/budget.h"
#include "postgres/connection.h"

namespace pgconn::postgres {

// An open connection and its place in the target's budget.
struct Session {
  Budget::Place place;
  std::unique_ptr<Connection> connection;
  explicit operator bool() const { return connection && connection->is_open(); }
};

class Connector {
 public:
  virtual ~Connector() = default;
  // Throws PgError: what Connection::connect() throws, or kBudget if no place is free.
  virtual asio::awaitable<Session> dial(ConnectOptions options, Deadline deadline) = 0;
};

}  // namespace pgconn::postgres
