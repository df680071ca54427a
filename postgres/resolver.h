// Host names to addresses without blocking the I/O thread. getaddrinfo cannot be interrupted, so
// each name being looked up has a thread of its own, up to a limit; lookups of the same name share
// it, and one that hangs delays no other. Used from the I/O thread only; destroyed before the
// io_context. A coroutine that still waits then waits until its deadline.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pgconn::postgres {

using Deadline = std::chrono::steady_clock::time_point;

class Resolver {
 public:
  struct Answer {
    std::vector<std::string> addresses;  // numeric, in getaddrinfo's order
    std::string error;                   // why there is none
    bool no_descriptor = false;          // and this is the reason
  };
  // The blocking lookup; called on a thread of its own. Replaced in tests.
  using Lookup = std::function<Answer(const std::string& host)>;

  explicit Resolver(asio::any_io_executor executor, Lookup lookup = system_lookup);

  // A name whose lookup has begun, or waits for a thread. Keeps the answer for late callers.
  struct Pending;
  // Begins to look up `host`, so that several names are looked up at the same time. A lookup that
  // gets no thread by `deadline`, the latest of its callers', is dropped.
  std::shared_ptr<Pending> begin(const std::string& host, Deadline deadline);
  // The addresses of the name. Throws PgError (kResolve phase): kResolve if it has none, kTimeout
  // at the deadline, kStopped if the coroutine is cancelled.
  asio::awaitable<std::vector<std::string>> wait(std::shared_ptr<Pending> pending,
                                                 Deadline deadline);

  // Both at once. A numeric address is returned without a lookup.
  asio::awaitable<std::vector<std::string>> resolve(std::string host, Deadline deadline);

  static Answer system_lookup(const std::string& host);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pgconn::postgres
