// Opens connections to one target within its budget, and knows how many are open for each purpose.
// I/O thread only; must outlive the sessions it opened.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "postgres/connector.h"

namespace pgconn::postgres {

class Dialer final : public Connector {
 public:
  // Builds the connection string again for each session, so that a changed password is used. May
  // throw PgError (phase kConfig).
  using MakeConnInfo = std::function<asio::awaitable<ConnInfo>(Deadline deadline)>;
  // Called when a server has refused the login.
  using Refused = std::function<void()>;

  // `resolver` must outlive the dialer. `budget`: connections open or being opened at the same
  // time.
  Dialer(
      asio::any_io_executor executor, Resolver& resolver, MakeConnInfo conninfo, int budget,
      Refused refused = [] {});

  asio::awaitable<Session> dial(ConnectOptions options, Deadline deadline) override;

  // A place for a connection that somebody else makes. Throws PgError(kBudget) if none is free.
  Budget::Place take_place(std::string purpose) { return budget_.take(std::move(purpose)); }

  // Connections by purpose; a purpose that was used before stays, with 0.
  const std::map<std::string, int>& open() const { return budget_.open(); }
  const asio::any_io_executor& executor() const { return executor_; }
  Resolver& resolver() const { return resolver_; }

 private:
  asio::any_io_executor executor_;
  Resolver& resolver_;
  MakeConnInfo conninfo_;
  Refused refused_;
  Budget budget_;
  std::shared_ptr<std::atomic<int>> given_up_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace pgconn::postgres
