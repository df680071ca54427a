#include "postgres/resolver.h"

#include <sys/resource.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "postgres/error.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::postgres {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
constexpr auto kLong = 60s;

// Lookups that hang until the test lets them answer. Outlives its threads: they hold it.
class Lookups : public std::enable_shared_from_this<Lookups> {
 public:
  Resolver::Lookup function() {
    return [self = shared_from_this()](const std::string& host) { return self->look_up(host); };
  }
  void answer(const std::string& host, Resolver::Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_[host] = std::move(answer);
    changed_.notify_all();
  }
  int asked(const std::string& host) {
    const std::lock_guard lock(mutex_);
    return asked_[host];
  }
  // Returns once `count` lookups are over, their threads at most on the way out.
  void wait_for_returns(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return returned_ >= count; });
  }

 private:
  Resolver::Answer look_up(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_[host];
    changed_.wait(lock, [&] { return answers_.contains(host); });
    ++returned_;
    changed_.notify_all();
    return answers_[host];
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Resolver::Answer> answers_;
  std::map<std::string, int> asked_;
  int returned_ = 0;
};

Reason reason_of(asio::io_context& io, asio::awaitable<Addresses> resolving,
                 std::string* text = nullptr) {
  try {
    test::run(io, std::move(resolving));
  } catch (const PgError& error) {
    CHECK(error.phase() == Phase::kResolve);
    if (text != nullptr) *text = error.what();
    return error.reason();
  }
  FAIL("resolved what has no answer");
  return Reason::kStopped;
}

TEST_CASE("a numeric address is its own answer, without a lookup") {
  asio::io_context io;
  Resolver resolver(io.get_executor(), [](const std::string&) -> Resolver::Answer {
    throw std::logic_error("looked up");
  });
  for (const char* address : {"127.0.0.1", "::1", "2001:db8::7", "fe80::1%lo"}) {
    CAPTURE(address);
    // Even when the time is over: nothing is waited for.
    CHECK(test::run(io, resolver.resolve(address, in(-1s))) == Addresses{address});
  }
}

TEST_CASE("a name has the addresses of its lookup, in that order") {
  asio::io_context io;
  Resolver resolver(io.get_executor(), [](const std::string& host) {
    return Resolver::Answer{{host + ".2", host + ".1"}, ""};
  });
  CHECK(test::run(io, resolver.resolve("db", in(kLong))) == Addresses{"db.2", "db.1"});
}

TEST_CASE("a lookup that fails for lack of a file descriptor says so") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Resolver::Answer answer = Resolver::system_lookup("name.invalid");
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(answer.addresses.empty());
  CHECK(answer.no_descriptor);
  CHECK(answer.error == "Too many open files");
}

TEST_CASE("the system knows localhost") {
  const Resolver::Answer answer = Resolver::system_lookup("localhost");
  CAPTURE(answer.error);
  REQUIRE_FALSE(answer.addresses.empty());
  CHECK((answer.addresses[0] == "127.0.0.1" || answer.addresses[0] == "::1"));
  CHECK(std::set<std::string>(answer.addresses.begin(), answer.addresses.end()).size() ==
        answer.addresses.size());
}

TEST_CASE("a name without an address fails with the name and the reason") {
  asio::io_context io;
  Resolver resolver(io.get_executor(),
                    [](const std::string&) { return Resolver::Answer{{}, "Name not known"}; });
  std::string text;
  CHECK(reason_of(io, resolver.resolve("nope.example", in(kLong)), &text) == Reason::kResolve);
  CHECK(text == "cannot look up \"nope.example\": Name not known");
}

TEST_CASE("a name that failed is looked up again the next time") {
  asio::io_context io;
  std::atomic<int> calls = 0;
  Resolver resolver(io.get_executor(), [&calls](const std::string&) {
    return calls++ == 0 ? Resolver::Answer{{}, "Try again"} : Resolver::Answer{{"192.0.2.1"}, ""};
  });
  CHECK(reason_of(io, resolver.resolve("db", in(kLong))) == Reason::kResolve);
  CHECK(test::run(io, resolver.resolve("db", in(kLong))) == Addresses{"192.0.2.1"});
}

TEST_CASE("a lookup that throws is a failure like any other") {
  asio::io_context io;
  Resolver resolver(io.get_executor(), [](const std::string&) -> Resolver::Answer {
    throw std::runtime_error("resolver broken");
  });
  std::string text;
  CHECK(reason_of(io, resolver.resolve("db", in(kLong)), &text) == Reason::kResolve);
  CHECK(text == "cannot look up \"db\": resolver broken");
}

TEST_CASE("a lookup that hangs delays no other name") {
  asio::io_context io;
  const auto lookups = std::make_shared<Lookups>();
  lookups->answer("good", {{"192.0.2.1"}, ""});
  Resolver resolver(io.get_executor(), lookups->function());
  std::optional<Addresses> hung;
  asio::co_spawn(
      io, [&]() -> asio::awaitable<void> { hung = co_await resolver.resolve("hung", in(kLong)); },
      asio::detached);
  CHECK(test::run(io, resolver.resolve("good", in(kLong))) == Addresses{"192.0.2.1"});
  CHECK_FALSE(hung.has_value());
  lookups->answer("hung", {{"192.0.2.2"}, ""});
  io.restart();
  io.run();
  CHECK(hung == Addresses{"192.0.2.2"});
}

TEST_CASE("those who wait for the same name share one lookup") {
  asio::io_context io;
  const auto lookups = std::make_shared<Lookups>();
  Resolver resolver(io.get_executor(), lookups->function());
  std::vector<Addresses> got;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          got.push_back(co_await resolver.resolve("db", in(kLong)));
        },
        asio::detached);
  }
  io.poll();
  CHECK(got.empty());
  lookups->answer("db", {{"192.0.2.1"}, ""});
  io.restart();
  io.run();
  CHECK(got == std::vector<Addresses>(3, Addresses{"192.0.2.1"}));
  CHECK(lookups->asked("db") == 1);
}

TEST_CASE("at the deadline waiting ends, and a caller that waits longer still gets the answer") {
  asio::io_context io;
  const auto lookups = std::make_shared<Lookups>();
  Resolver resolver(io.get_executor(), lookups->function());
  std::optional<Addresses> patient;
  asio::co_spawn(
      io, [&]() -> asio::awaitable<void> { patient = co_await resolver.resolve("db", in(kLong)); },
      asio::detached);
  std::string text;
  CHECK(reason_of(io, resolver.resolve("db", in(1ms)), &text) == Reason::kTimeout);
  CHECK(text == "looking up \"db\" was not answered in time");
  CHECK_FALSE(patient.has_value());
  lookups->answer("db", {{"192.0.2.1"}, ""});
  io.restart();
  io.run();
  CHECK(patient == Addresses{"192.0.2.1"});
  CHECK(lookups->asked("db") == 1);
}

// As many lookups that hang as there may be.
constexpr int kMost = 64;

void hang(asio::io_context& io, Resolver& resolver) {
  for (int i = 0; i < kMost; ++i) {
    CHECK(reason_of(io, resolver.resolve("hung" + std::to_string(i), in(0ms))) == Reason::kTimeout);
  }
}

TEST_CASE("two hundred names at once are all looked up, though not all at once") {
  asio::io_context io;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Resolver resolver(io.get_executor(), [&](const std::string& host) {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(1ms);
    --running;
    return Resolver::Answer{{host + ".1"}, ""};
  });
  std::set<std::string> got;
  for (int i = 0; i < 200; ++i) {
    asio::co_spawn(
        io,
        [&, i]() -> asio::awaitable<void> {
          const Addresses addresses =
              co_await resolver.resolve("db" + std::to_string(i), in(kLong));
          got.insert(addresses.front());
        },
        asio::detached);
  }
  io.run();
  CHECK(got.size() == 200);
  CHECK(most <= kMost);
}

TEST_CASE("a name that finds all lookups hanging waits for one, at most until its deadline") {
  asio::io_context io;
  const auto lookups = std::make_shared<Lookups>();
  lookups->answer("in-time", {{"192.0.2.2"}, ""});
  Resolver resolver(io.get_executor(), lookups->function());
  hang(io, resolver);
  std::optional<Addresses> got;
  std::string text;
  CHECK(reason_of(io, resolver.resolve("too-late", in(1ms)), &text) == Reason::kTimeout);
  CHECK(text == "looking up \"too-late\" was not answered in time");
  asio::co_spawn(
      io, [&]() -> asio::awaitable<void> { got = co_await resolver.resolve("in-time", in(kLong)); },
      asio::detached);
  io.restart();
  io.poll();
  CHECK(lookups->asked("in-time") == 0);
  lookups->answer("hung7", {{"192.0.2.1"}, ""});
  io.restart();
  while (!got) io.run_one();
  CHECK(got == Addresses{"192.0.2.2"});
  CHECK(lookups->asked("too-late") == 0);  // no caller wanted it any more
  for (int i = 0; i < kMost; ++i) lookups->answer("hung" + std::to_string(i), {});
}

TEST_CASE("several names are looked up at the same time, and a late caller gets the answer too") {
  asio::io_context io;
  const auto lookups = std::make_shared<Lookups>();
  Resolver resolver(io.get_executor(), lookups->function());
  const auto first = resolver.begin("a", in(kLong));
  const auto second = resolver.begin("b", in(kLong));
  lookups->answer("b", {{"192.0.2.2"}, ""});
  CHECK(test::run(io, resolver.wait(second, in(kLong))) == Addresses{"192.0.2.2"});
  CHECK(test::run(io, resolver.wait(second, in(kLong))) == Addresses{"192.0.2.2"});
  CHECK(reason_of(io, resolver.wait(first, in(0ms))) == Reason::kTimeout);
  lookups->answer("a", {{"192.0.2.1"}, ""});
  CHECK(test::run(io, resolver.wait(first, in(kLong))) == Addresses{"192.0.2.1"});
  CHECK(lookups->asked("a") == 1);
  CHECK(lookups->asked("b") == 1);
}

TEST_CASE("a lookup cancelled while waiting was stopped, and not too slow") {
  asio::io_context io;
  const auto lookups = std::make_shared<Lookups>();
  Resolver resolver(io.get_executor(), lookups->function());
  asio::cancellation_signal signal;
  std::optional<Reason> reason;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        try {
          co_await resolver.resolve("db", in(kLong));
        } catch (const PgError& error) {
          reason = error.reason();
        }
      },
      asio::bind_cancellation_slot(signal.slot(), asio::detached));
  io.poll();
  signal.emit(asio::cancellation_type::terminal);
  io.restart();
  io.poll();
  CHECK(reason == Reason::kStopped);
  lookups->answer("db", {});
}

TEST_CASE("an answer that comes when no caller is left does no harm") {
  const auto lookups = std::make_shared<Lookups>();
  const auto spawn_waiter = [&lookups](asio::io_context& io, Resolver& resolver) {
    asio::co_spawn(
        io, [&]() -> asio::awaitable<void> { co_await resolver.resolve("db", in(kLong)); },
        asio::detached);
    io.poll();
  };
  SECTION("the resolver is gone, the loop is not") {
    asio::io_context io;
    {
      Resolver resolver(io.get_executor(), lookups->function());
      CHECK(reason_of(io, resolver.resolve("db", in(0ms))) == Reason::kTimeout);
    }
    lookups->answer("db", {{"192.0.2.1"}, ""});
    lookups->wait_for_returns(1);
    io.restart();
    CHECK(io.poll() == 0);
  }
  SECTION("resolver and loop are gone while a caller waited") {
    {
      asio::io_context io;
      Resolver resolver(io.get_executor(), lookups->function());
      spawn_waiter(io, resolver);
    }
    lookups->answer("db", {{"192.0.2.1"}, ""});
    lookups->wait_for_returns(1);
  }
  SECTION("the loop ends with an answer that it never read") {
    asio::io_context io;
    Resolver resolver(io.get_executor(), lookups->function());
    spawn_waiter(io, resolver);
    lookups->answer("db", {{"192.0.2.1"}, ""});
    lookups->wait_for_returns(1);
  }
  CHECK(lookups->asked("db") == 1);
}

}  // namespace
}  // namespace pgconn::postgres
