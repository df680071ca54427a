// The session that a target collects with, held across scrapes, by a clock that the test moves on.
#include "exporter/targets/collection_session.h"

#include <asio/co_spawn.hpp>

#include "tests/support/catch.h"
#include "tests/support/console_kind.h"
#include "tests/unit/probes/drops/given_evidence.h"
#include "tests/unit/probes/simulated_server.h"

using namespace std::chrono_literals;
using namespace pgconn;
using exporter::Collected;
using exporter::CollectionSession;
using postgres::PgError;
using test::Clock;

namespace {

// A session at a simulated server that answers as a console does.
class Scrapes {
 public:
  Scrapes() {
    server.login = 10ms;
    server.answers["SHOW VERSION"] = postgres::Rows({"version"}, {"PgBouncer 1.18.0"});
    server.version = 11800;
  }

  // One scrape that has so long.
  Collected scrape(Clock::duration patience = 10s) {
    Collected collected;
    bool done = false;
    asio::co_spawn(io_, session.collect(collectors_, time.now() + patience, collected),
                   [&](const std::exception_ptr&) { done = true; });
    CHECK(time.pass_until([&] { return done; }, patience + 1s));
    return collected;
  }

 private:
  const std::set<std::string> collectors_{"pools"};
  asio::io_context io_;  // outlives what waits on it

 public:
  test::FakeTime time{io_};
  test::SimulatedServer server{time, 1};
  collectors::Options options;
  config::Global limits;
  std::vector<PgError> failures;
  int losses = 0;
  CollectionSession session{server,
                            time,
                            {test::console_kind(), options, limits},
                            {.failed = [this](const auto& error) { failures.push_back(error); },
                             .lost = [this](const auto&) { ++losses; },
                             .renewed = {},
                             .logged_in = {}}};
};

std::string reason_of(const Collected& collected) {
  return collected.error ? std::string(to_string(collected.error->reason())) : "none";
}

}  // namespace

TEST_CASE("a session is held from one scrape to the next") {
  Scrapes scrapes;
  CHECK(scrapes.scrape().facts->version == "1.18.0");
  CHECK(scrapes.scrape().facts);
  CHECK(scrapes.server.dialed == 1);
  CHECK(scrapes.session.is_open());
}

TEST_CASE("a session that died between two scrapes says nothing about the server now") {
  Scrapes scrapes;
  scrapes.scrape();
  scrapes.server.end_all(probes::fatal("57P01", "terminating connection"));
  const Collected collected = scrapes.scrape();
  CHECK(reason_of(collected) == "none");
  CHECK(collected.facts);
  CHECK(scrapes.losses == 1);
  CHECK(scrapes.server.dialed == 2);
}

TEST_CASE("a server that refuses is not asked by each scrape, but the refusal is told by each") {
  Scrapes scrapes;
  scrapes.server.refusal = probes::refused();
  CHECK(reason_of(scrapes.scrape()) == "refused");
  CHECK(reason_of(scrapes.scrape()) == "refused");
  CHECK(scrapes.server.dialed == 1);
  scrapes.time.pass(5s);
  scrapes.server.refusal.reset();
  CHECK(scrapes.scrape().facts);
  CHECK(scrapes.server.dialed == 2);
}

TEST_CASE("a scrape that has no time says nothing about the next one, which may have") {
  Scrapes scrapes;
  scrapes.server.login = 2s;
  CHECK(reason_of(scrapes.scrape(500ms)) == "timeout");
  CHECK(scrapes.scrape().facts);
}

TEST_CASE("at the deadline the session is closed, and what had arrived stays") {
  Scrapes scrapes;
  scrapes.scrape();
  scrapes.server.path.swallows_all = true;
  const Clock::time_point begin = scrapes.time.now();
  const Collected collected = scrapes.scrape(3s);
  CHECK(reason_of(collected) == "timeout");
  CHECK(scrapes.time.now() == begin + 3s);
  CHECK_FALSE(scrapes.session.is_open());
}

TEST_CASE("a peer that is not of the target's kind is believed nothing") {
  Scrapes scrapes;
  scrapes.server.answers["SHOW VERSION"] = postgres::Rows({"version"}, {"something else"});
  const Collected collected = scrapes.scrape();
  CHECK(reason_of(collected) == "protocol");
  CHECK_FALSE(collected.facts);
}

TEST_CASE("once stopped it connects no more") {
  Scrapes scrapes;
  scrapes.scrape();
  scrapes.session.stop();
  CHECK(reason_of(scrapes.scrape()) == "stopped");
  CHECK(scrapes.server.dialed == 1);
}
