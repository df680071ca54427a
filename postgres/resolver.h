// Host names to addresses without blocking the I/O thread. getaddrinfo cannot be interrupted, so
// each name being looked up has a thread of its own; lookups of the same name share it, and one
// that hangs delays no other. Used from the I/O thread only; goes before the io_context does. Who
// still waits then is left to its deadline.
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
  };
  // The blocking lookup; called on a thread of its own. Replaced in tests.
  using Lookup = std::function<Answer(const std::string& host)>;

  explicit Resolver(asio::any_io_executor executor, Lookup lookup = system_lookup);

  // The addresses of `host`; a numeric address is returned at once. Throws PgError (kResolve
  // phase): kResolve if the name has none, kTimeout at the deadline.
  asio::awaitable<std::vector<std::string>> resolve(std::string host, Deadline deadline);

  static Answer system_lookup(const std::string& host);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pgconn::postgres
