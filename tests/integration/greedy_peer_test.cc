// Peers that never stop talking, or stop listening: what they cost has a bound.
#include <malloc.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <future>

#include "tests/integration/servers.h"
#include "tests/integration/stranger.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using postgres::PgError;
using Clock = std::chrono::steady_clock;

const std::string kNotice = message('N', "SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"s);

// Sends `first`, then `unit` again and again until the other side hangs up.
Stranger::Behaviour flooding(std::string first, std::string unit, int reads) {
  return [first = std::move(first), flood = flood_of(unit), reads](Stranger::Line& line) {
    for (int i = 0; i < reads; ++i) line.read();
    if (!line.write(first)) return;
    while (line.write(flood)) {
    }
  };
}

void check(const PgError& error, std::string_view phase, std::string_view reason) {
  CAPTURE(error.what());
  CHECK(to_string(error.phase()) == phase);
  CHECK(to_string(error.reason()) == reason);
  CHECK(error.fatal());
  CHECK(std::string_view(error.what()).size() < 700);
}

// True if the loop lets others run while the action goes on.
bool loop_turns_during(Client& client, const std::function<void()>& action) {
  bool turned = false;
  asio::co_spawn(
      client.io,
      [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(client.io, 20ms);
        asio::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        turned = true;
      },
      asio::detached);
  action();
  return turned;
}

TEST_CASE("a peer that never stops talking neither holds the loop nor outlives the deadline") {
  Client client;
  SECTION("notices before the login is over") {
    const Stranger chatty(flooding(message('R', number32(0)), kNotice, 1));
    check(client.refusal(chatty.dsn("sslmode=disable"), 3s), "startup", "protocol");
  }
  SECTION("notices instead of an answer") {
    const Stranger chatty(flooding(login(), kNotice, 1));
    const auto connection = client.connect(chatty.dsn("sslmode=disable"));
    CHECK(loop_turns_during(client, [&] {
      // At the deadline, or because it was too much, on a fast machine.
      CHECK(error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}, 300ms); }).fatal());
    }));
  }
  SECTION("notices while nothing is asked") {
    const Stranger chatty(flooding(login(), kNotice, 1));
    const auto connection = client.connect(chatty.dsn("sslmode=disable"));
    const auto lost = run(client.io, connection->watch(Clock::now() + 3s));
    REQUIRE(lost.has_value());
    check(*lost, "idle", "protocol");
  }
  SECTION("results of no query") {
    const Stranger generous(flooding(login(), message('C', "SELECT 0\0"s), 1));
    const auto connection = client.connect(generous.dsn("sslmode=disable"));
    CHECK(loop_turns_during(client, [&] {
      CHECK(error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}, 300ms); }).fatal());
    }));
  }
}

TEST_CASE("notifications that were not asked for are not kept") {
  const std::string notification =
      message('A', number32(1) + "c\0"s + std::string(7000, 'x') + "\0"s);
  const Stranger chatty(flooding(login(), notification, 1));
  Client client;
  const auto connection = client.connect(chatty.dsn("sslmode=disable"));
  const std::size_t before = mallinfo2().uordblks;
  CHECK(run(client.io, connection->watch(Clock::now() + 3s)).has_value());
  CHECK(mallinfo2().uordblks < before + 4'000'000);
}

// Until an answer's first row, and how that says what a row of so many columns is.
std::string answer_begins(std::uint16_t columns) {
  std::string description = number16(columns);
  for (std::uint16_t i = 0; i < columns; ++i) {
    description += "a\0"s + number32(0) + number16(0) + number32(25) + number16(0xFFFF) +
                   number32(0xFFFFFFFF) + number16(0);
  }
  return message('1', "") + message('2', "") + message('T', description);
}

const std::string kTooMuch = "the server sent more than 16 MiB or a million cells of answers";

TEST_CASE("an answer without end is given up long before the deadline") {
  const std::string row = message('D', number16(1) + number32(1000) + std::string(1000, 'x'));
  const Stranger generous([row](Stranger::Line& line) {
    line.read();
    line.write(login());
    line.read();
    line.write(answer_begins(1));
    while (line.write(flood_of(row))) {
    }
  });
  Client client;
  const auto connection = client.connect(generous.dsn("sslmode=disable"));
  const PgError error = error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}, 60s); });
  check(error, "query", "protocol");
  CHECK(error.what() == kTooMuch);
}

// 1600 columns is the most that a table has.
TEST_CASE("an answer that is small on the wire and large in memory is not copied") {
  std::string row = number16(1600);
  for (int i = 0; i < 1600; ++i) row += number32(0xFFFFFFFF);
  const std::string rows = message('D', row);
  const Stranger wide([&rows](Stranger::Line& line) {
    line.read();
    line.write(login());
    line.read();
    std::string answer = answer_begins(1600);
    for (int i = 0; i < 1000; ++i) answer += rows;  // 6 MB
    line.write(answer + message('C', "SELECT 1000\0"s) + message('Z', "I"));
    line.read_until_closed();
  });
  Client client;
  const auto connection = client.connect(wide.dsn("sslmode=disable"));
  const PgError error = error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}, 60s); });
  check(error, "query", "protocol");
  CHECK(error.what() == kTooMuch);
}

TEST_CASE("a peer that stops reading holds up nothing beyond the deadline") {
  std::promise<void> over;
  const Stranger deaf([done = over.get_future().share()](Stranger::Line& line) {
    line.read();
    line.write(login());
    done.wait_for(30s);
  });
  Client client;
  const auto connection = client.connect(deaf.dsn("sslmode=disable"));
  const std::string sql = "SELECT '" + std::string(20'000'000, 'x') + "'";
  check(error_of([&] { client.ask(*connection, {{sql, ""}}, 500ms); }), "query", "timeout");
  over.set_value();
}

}  // namespace
}  // namespace pgconn::test
