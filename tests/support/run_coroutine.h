// Runs one coroutine to its end on an event loop that the test owns.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace pgconn::test {

namespace detail {

inline void run_until(asio::io_context& io, const bool& done, const std::exception_ptr& error) {
  io.restart();
  while (!done) {
    if (io.run_one() == 0) throw std::logic_error("the coroutine waits for nothing");
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail

// Returns or throws what the coroutine does. Others spawned on `io` run meanwhile.
template <typename T>
T run(asio::io_context& io, asio::awaitable<T> coroutine) {
  bool done = false;
  std::exception_ptr error;
  std::optional<T> result;
  asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr thrown, T value) {
    error = std::move(thrown);
    result = std::move(value);
    done = true;
  });
  detail::run_until(io, done, error);
  return std::move(*result);
}

inline void run(asio::io_context& io, asio::awaitable<void> coroutine) {
  bool done = false;
  std::exception_ptr error;
  asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr thrown) {
    error = std::move(thrown);
    done = true;
  });
  detail::run_until(io, done, error);
}

}  // namespace pgconn::test
