#include "async/event.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <exception>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/fake_time.h"

using namespace std::chrono_literals;
using pgconn::async::Clock;
using pgconn::async::Event;
using pgconn::async::SystemTime;
using pgconn::async::TimeSource;
using pgconn::test::FakeTime;

namespace {

// Writes down what becomes of its wait.
asio::awaitable<void> wait_and_tell(Event& event, Clock::time_point deadline,
                                    std::vector<std::string>& told) {
  try {
    const bool notified = co_await event.wait_until(deadline);
    told.emplace_back(notified ? "notified" : "deadline");
  } catch (const std::system_error&) {
    told.emplace_back("cancelled");
    throw;
  }
}

asio::awaitable<void> sleep_and_tell(TimeSource& time, Clock::time_point until, std::string name,
                                     std::vector<std::string>& told) {
  co_await time.sleep_until(until);
  told.push_back(std::move(name));
}

struct Stage {
  asio::io_context io;
  FakeTime time{io};
  Event event{time};
  std::vector<std::string> told;

  void wait(Clock::duration patience) {
    asio::co_spawn(io, wait_and_tell(event, time.now() + patience, told), asio::detached);
  }
};

}  // namespace

TEST_CASE("an event resumes everybody who waits for it, at once") {
  Stage stage;
  stage.wait(10s);
  stage.wait(20s);
  stage.time.pass(1s);
  CHECK(stage.told.empty());
  stage.event.notify();
  stage.time.pass(0s);
  CHECK(stage.told == std::vector<std::string>{"notified", "notified"});
}

TEST_CASE("a wait for an event ends at its deadline and not before") {
  Stage stage;
  stage.wait(10s);
  stage.time.pass(9999ms);
  CHECK(stage.told.empty());
  stage.time.pass(1ms);
  CHECK(stage.told == std::vector<std::string>{"deadline"});
}

TEST_CASE("an event that happens before somebody waits is not kept for him") {
  Stage stage;
  stage.event.notify();
  stage.wait(10s);
  stage.time.pass(10s);
  CHECK(stage.told == std::vector<std::string>{"deadline"});
}

TEST_CASE("an event happens again and again") {
  Stage stage;
  for (int i = 0; i < 3; ++i) {
    stage.wait(10s);
    stage.time.pass(1s);
    stage.event.notify();
  }
  stage.time.pass(0s);
  CHECK(stage.told.size() == 3);
}

TEST_CASE("a coroutine that is cancelled leaves its wait with an error") {
  Stage stage;
  asio::cancellation_signal stop;
  asio::co_spawn(stage.io, wait_and_tell(stage.event, Clock::time_point::max(), stage.told),
                 asio::bind_cancellation_slot(stop.slot(), [](const std::exception_ptr&) {}));
  stage.time.pass(1s);
  stop.emit(asio::cancellation_type::terminal);
  stage.time.pass(0s);
  CHECK(stage.told == std::vector<std::string>{"cancelled"});
  stage.event.notify();  // nobody waits any more
}

TEST_CASE("sleepers wake in the order of their times, and see the time they slept until") {
  asio::io_context io;
  FakeTime time(io);
  std::vector<std::string> told;
  const Clock::time_point begin = time.now();
  asio::co_spawn(io, sleep_and_tell(time, begin + 3h, "late", told), asio::detached);
  asio::co_spawn(io, sleep_and_tell(time, begin + 2ms, "early", told), asio::detached);
  CHECK(time.pass_until([&] { return told.size() == 1; }, 1h));
  CHECK(told.front() == "early");
  CHECK(time.now() == begin + 2ms);
  CHECK_FALSE(time.pass_until([&] { return told.size() == 2; }, 1h));
  time.pass(3h);
  CHECK(told.size() == 2);
}

TEST_CASE("the system's time really passes, and an event cuts a wait by it short") {
  asio::io_context io;
  SystemTime time(io.get_executor());
  Event event(time);
  std::vector<std::string> told;
  const Clock::time_point begin = time.now();
  asio::co_spawn(io, sleep_and_tell(time, begin + 20ms, "slept", told), asio::detached);
  asio::co_spawn(io, wait_and_tell(event, begin + 10ms, told), asio::detached);
  asio::co_spawn(io, wait_and_tell(event, begin + 1h, told), asio::detached);
  while (told.size() < 2) io.run_one();
  CHECK(told == std::vector<std::string>{"deadline", "slept"});
  CHECK(time.now() >= begin + 20ms);
  event.notify();
  io.run();
  CHECK(told.back() == "notified");
}
