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

#include "postgres/connection.h"

namespace pgconn::postgres {

class Dialer {
 public:
  // Builds the connection string again for each session, so that a changed password file is read.
  // May throw PgError(kConfig).
  using MakeConnInfo = std::function<ConnInfo()>;

  // `resolver` must outlive the dialer. `budget`: connections open or being opened at the same
  // time.
  Dialer(asio::any_io_executor executor, Resolver& resolver, MakeConnInfo conninfo, int budget);

  // A place in the budget, given back when it is destroyed.
  class Slot {
   public:
    Slot() = default;
    Slot(Dialer& dialer, std::string purpose);
    ~Slot() { release(); }
    Slot(Slot&& other) noexcept { *this = std::move(other); }
    Slot& operator=(Slot&& other) noexcept;

   private:
    void release() noexcept;
    Dialer* dialer_ = nullptr;
    std::string purpose_;
  };

  struct Session {
    Slot slot;
    std::unique_ptr<Connection> connection;
    explicit operator bool() const { return connection && connection->is_open(); }
  };

  // Throws PgError: what Connection::connect() throws, or kBudget if no place is free.
  asio::awaitable<Session> dial(ConnectOptions options, Deadline deadline);

  // A place for a connection that the caller opens. Throws PgError(kBudget) if none is free.
  Slot take_place(std::string purpose);

  // Connections by purpose; a purpose that was used before stays, with 0.
  const std::map<std::string, int>& open() const { return open_; }
  const asio::any_io_executor& executor() const { return executor_; }
  Resolver& resolver() const { return resolver_; }

 private:
  asio::any_io_executor executor_;
  Resolver& resolver_;
  MakeConnInfo conninfo_;
  int budget_;
  int used_ = 0;
  std::shared_ptr<std::atomic<int>> given_up_ = std::make_shared<std::atomic<int>>(0);
  std::map<std::string, int> open_;
};

}  // namespace pgconn::postgres
