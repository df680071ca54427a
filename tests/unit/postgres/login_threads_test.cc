#include "postgres/login_threads.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "postgres/library.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::postgres {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using Outcome = LoginStep::Outcome;

constexpr int kQuick = 4096;
constexpr int kCostly = 6'000'000;  // some seconds

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

GivenUp nobody_yet() { return std::make_shared<std::atomic<int>>(0); }

std::string authentication(char kind, std::string_view text) {
  const auto length = static_cast<char>(8 + text.size());
  return std::string{'R', 0, 0, 0, length, 0, 0, 0, kind}.append(text);
}

// A login whose next step answers a SCRAM challenge of so many iterations.
class Login {
 public:
  explicit Login(int iterations)
      : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), server_(io_) {
    const std::string port = std::to_string(acceptor_.local_endpoint().port());
    const std::array<const char*, 7> names{"hostaddr", "port",    "user", "password",
                                           "dbname",   "sslmode", nullptr};
    const std::array<const char*, 7> values{"127.0.0.1", port.c_str(), "x",    "secret",
                                            "x",         "disable",    nullptr};
    connection_ = PQconnectStartParams(names.data(), values.data(), 0);
    server_ = acceptor_.accept();
    step();
    read();
    say(authentication(10, std::string_view("SCRAM-SHA-256\0", 15)));
    step();
    const std::string first = read();
    const auto nonce = first.find("r=");
    REQUIRE(nonce != std::string::npos);
    say(authentication(11, first.substr(nonce) + "server,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=" +
                               std::to_string(iterations)));
    wait();
  }
  ~Login() { PQfinish(connection_); }
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  PGconn* connection() const { return connection_; }
  void disown() { connection_ = nullptr; }
  bool disowned() const { return connection_ == nullptr; }

  asio::awaitable<LoginStep> poll(asio::any_io_executor executor, GivenUp given_up,
                                  std::chrono::milliseconds time) {
    return poll_apart(executor, connection_, nullptr, std::move(given_up), in(time),
                      [this] { disown(); });
  }

 private:
  void wait() {
    pollfd socket{PQsocket(connection_), POLLIN, 0};
    REQUIRE(::poll(&socket, 1, 10000) == 1);
  }
  // One message of libpq's own is sent once the step is done.
  void step() {
    if (PQstatus(connection_) != CONNECTION_STARTED) wait();
    while (PQconnectPoll(connection_) == PGRES_POLLING_WRITING) {
    }
  }
  std::string read() {
    std::array<char, 4096> buffer{};
    return {buffer.data(), server_.receive(asio::buffer(buffer))};
  }
  void say(const std::string& text) { asio::write(server_, asio::buffer(text)); }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  tcp::socket server_;
  PGconn* connection_ = nullptr;
};

void wait_for_the_end_of(const GivenUp& given_up) {
  const auto end = in(60s);
  while (*given_up > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  REQUIRE(*given_up == 0);
}

TEST_CASE("a step that is done in time gives what libpq says next") {
  asio::io_context io;
  Login login(kQuick);
  const GivenUp given_up = nobody_yet();
  const LoginStep step = test::run(io, login.poll(io.get_executor(), given_up, 60s));
  CHECK(step.outcome == Outcome::kDone);
  CHECK(step.status == PGRES_POLLING_READING);
  CHECK(*given_up == 0);
  CHECK_FALSE(login.disowned());
}

TEST_CASE("a step that computes past its deadline is given up with its connection") {
  asio::io_context io;
  Login login(kCostly);
  const GivenUp given_up = nobody_yet();
  const int before = given_up_logins();
  LoginStep step;
  // On a busy machine no thread may have begun it by then.
  while (step.outcome == Outcome::kNotBegun) {
    step = test::run(io, login.poll(io.get_executor(), given_up, 100ms));
  }
  CHECK(step.outcome == Outcome::kGivenUp);
  CHECK(login.disowned());
  CHECK(*given_up == 1);
  CHECK(given_up_logins() == before + 1);

  SECTION("another login of that target does not begin meanwhile, and keeps its connection") {
    Login second(kQuick);
    const LoginStep held = test::run(io, second.poll(io.get_executor(), given_up, 20ms));
    CHECK(held.outcome == Outcome::kNotBegun);
    CHECK_FALSE(second.disowned());
  }
  SECTION("another target's login goes on") {
    Login other(kQuick);
    CHECK(test::run(io, other.poll(io.get_executor(), nobody_yet(), 60s)).outcome ==
          Outcome::kDone);
  }
  wait_for_the_end_of(given_up);
  CHECK(given_up_logins() == before);
}

TEST_CASE("a coroutine cancelled while a step computes leaves the connection to it") {
  asio::io_context io;
  Login login(kCostly);
  const GivenUp given_up = nobody_yet();
  asio::cancellation_signal signal;
  std::optional<bool> failed;
  asio::co_spawn(io, login.poll(io.get_executor(), given_up, 60s),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error,
                                                                 LoginStep) { failed = !!error; }));
  io.poll();
  SECTION("by a signal") {
    signal.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    CHECK(failed.has_value());
    CHECK((login.disowned() || *given_up == 0));  // not begun yet, maybe
  }
  wait_for_the_end_of(given_up);
}

TEST_CASE("after the loop is gone, nothing owns a step's connection twice") {
  const GivenUp given_up = nobody_yet();
  Login login(kCostly);
  {
    asio::io_context io;
    asio::co_spawn(io, login.poll(io.get_executor(), given_up, 60s),
                   [](const std::exception_ptr&, LoginStep) {});
    io.poll();
  }
  CHECK((login.disowned() || *given_up == 0));
  wait_for_the_end_of(given_up);
}

}  // namespace
}  // namespace pgconn::postgres
