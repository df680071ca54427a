#include "probes/guarded.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using namespace pgconn::probes;
namespace async = pgconn::async;
using pgconn::postgres::Backoff;

namespace {

asio::awaitable<void> fail_twice(int& runs) {
  if (++runs <= 2) throw std::out_of_range("run " + std::to_string(runs));
  co_return;
}

}  // namespace

TEST_CASE("a coroutine that fails is reported and runs again until it ends by itself") {
  asio::io_context io;
  async::SystemTime time(io.get_executor());
  int runs = 0;
  std::vector<std::string> told;
  Guard guard{.failed = [&](std::string_view error) { told.emplace_back(error); },
              .stopped = [] { return false; }};
  bool ended = false;
  asio::co_spawn(io,
                 run_guarded(
                     time, [&] { return fail_twice(runs); }, guard, Backoff(1ms, 4ms)),
                 [&](const std::exception_ptr& error) { ended = error == nullptr; });
  io.run();
  CHECK(ended);
  CHECK(runs == 3);
  CHECK(told == std::vector<std::string>{"run 1", "run 2"});
}

TEST_CASE("the exception of a coroutine that is being ended is no failure") {
  asio::io_context io;
  async::SystemTime time(io.get_executor());
  bool stopped = false;
  int told = 0;
  Guard guard{.failed = [&](std::string_view) { ++told; }, .stopped = [&] { return stopped; }};
  asio::cancellation_signal signal;
  bool cancelled = false;
  asio::co_spawn(io,
                 run_guarded(
                     time, [&] { return time.sleep_until(async::Clock::now() + 1h); }, guard,
                     Backoff(1ms, 4ms)),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) {
                   cancelled = error != nullptr;
                 }));
  asio::post(io, [&] {
    stopped = true;
    signal.emit(asio::cancellation_type::terminal);
  });
  io.run();
  CHECK(cancelled);
  CHECK(told == 0);
}
