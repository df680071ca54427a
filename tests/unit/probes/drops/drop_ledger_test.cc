#include "probes/drops/drop_ledger.h"

#include <asio/io_context.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

using namespace std::chrono_literals;
using namespace pgconn;
using namespace pgconn::probes;
using postgres::PgError;

namespace {

// A ledger whose server cannot be reached.
struct Bookkeeping {
  asio::io_context io;
  async::SystemTime time{io.get_executor()};
  struct NoServer final : postgres::Connector {
    asio::awaitable<postgres::Session> dial(postgres::ConnectOptions, postgres::Deadline) override {
      throw PgError(postgres::Phase::kTcp, postgres::Reason::kRefused, "", "no server in this test",
                    true);
      co_return postgres::Session();
    }
  } connector;
  metrics::Instruments instruments;
  std::vector<Cause> decided;
  std::vector<Incident> concluded;
  std::vector<std::size_t> over;  // how many drops each had
  struct Others final : HeldConnections {
    explicit Others(async::TimeSource& time) : event(time) {}
    async::Event event;
    bool broken = false;
    Count count() const override { return {.all = 2, .silent = 0}; }
    void ask_all() override {}
    async::Event& changed() override { return event; }
    int owing() const override { return 0; }
    std::vector<Survivor> survivors(Clock::time_point) const override {
      if (broken) throw std::out_of_range("an error of ours");
      return {};
    }
    std::optional<Clock::duration> survived_silence(Clock::time_point) const override {
      return std::nullopt;
    }
  } others{time};
  DropLedger ledger{"target",
                    connector,
                    time,
                    instruments,
                    others,
                    {.decided = [this](const Drop&, Cause cause) { decided.push_back(cause); },
                     .concluded = [this](const Incident& one) { concluded.push_back(one); },
                     .over = [this](const Incident& one) { over.push_back(one.in_all()); }}};
};

Drop terminated() {
  return {.probe = ProbeKind::kRoundtrip,
          .error = PgError(postgres::Phase::kIdle, postgres::Reason::kTerminated, "57P01",
                           "FATAL: terminating connection", true),
          .at = Clock::now()};
}

}  // namespace

TEST_CASE("an investigation that fails ends as unknown, each drop counted once") {
  Bookkeeping books;
  books.others.broken = true;
  const auto incident = books.ledger.enter(terminated());
  REQUIRE(incident);
  CHECK_FALSE(books.ledger.enter(terminated()));  // joins it
  CHECK_THROWS_AS(test::run(books.io, books.ledger.investigate(*incident)), std::out_of_range);
  books.ledger.give_up(*incident);
  CHECK(books.decided == std::vector<Cause>{Cause::kUnknown, Cause::kUnknown});
  REQUIRE(books.concluded.size() == 1);
  CHECK(books.concluded[0].verdict.cause == Cause::kUnknown);
  books.ledger.give_up(*incident);
  CHECK(books.concluded.size() == 1);
}

TEST_CASE(
    "after an investigation that failed the ledger learns again, and a new drop is a new "
    "incident") {
  Bookkeeping books;
  const auto incident = books.ledger.enter(terminated());
  REQUIRE(incident);
  books.ledger.give_up(*incident);
  ServerMarks marks;
  marks.start_time = 1000.0;
  books.ledger.learn(marks, 170000);
  // Nothing is left to learn, so it ends without querying the server.
  test::run(books.io, books.ledger.get_acquainted());
  const auto next = books.ledger.enter(terminated());
  REQUIRE(next);
  CHECK(*next != *incident);
}

namespace {

Drop timed_out(const char* sqlstate, Clock::duration ago) {
  Drop drop = terminated();
  drop.error = PgError(postgres::Phase::kIdle, postgres::Reason::kTerminated, sqlstate,
                       "FATAL: terminating connection due to a timeout", true);
  drop.at = Clock::now() - ago;
  return drop;
}

}  // namespace

TEST_CASE("for an incident that went on, the final number of drops is reported once") {
  Bookkeeping books;
  const auto incident = books.ledger.enter(timed_out("25P03", 20s));
  REQUIRE(incident);
  test::run(books.io, books.ledger.investigate(*incident));
  REQUIRE(books.concluded.size() == 1);
  SECTION("it went on") {
    CHECK_FALSE(books.ledger.enter(timed_out("25P03", 18s)));
    CHECK_FALSE(books.ledger.enter(timed_out("25P03", 17s)));
    test::run(books.io, books.ledger.see_out(*incident));
    CHECK(books.over == std::vector<std::size_t>{3});
    CHECK(books.decided.size() == 3);
  }
  SECTION("a loop that our own reconnecting keeps going went on too") {
    const auto loop = books.ledger.enter(timed_out("57P05", 5s));
    REQUIRE(loop);
    test::run(books.io, books.ledger.investigate(*loop));
    CHECK_FALSE(books.ledger.enter(timed_out("57P05", 4s)));
    test::run(books.io, books.ledger.see_out(*loop));
    CHECK(books.over == std::vector<std::size_t>{2});
    books.concluded.pop_back();
  }
  SECTION("it did not") {
    test::run(books.io, books.ledger.see_out(*incident));
    CHECK(books.over.empty());
    CHECK(books.decided == std::vector<Cause>{Cause::kIdleInTransactionTimeout});
  }
  CHECK(books.concluded.size() == 1);
}
