#include "collectors/server_facts.h"

#include "tests/support/catch.h"

using namespace pgconn::collectors;

namespace {

ServerFacts started(double time, std::optional<double> crash_restart_time) {
  ServerFacts facts;
  facts.start_time = time;
  facts.crash_restart_time = crash_restart_time;
  return facts;
}

}  // namespace

TEST_CASE("A new postmaster is a restart, a new crash time a crash") {
  const ServerFacts before = started(100, 0);
  const auto change = [](const ServerFacts& one, const ServerFacts& next) {
    return change_between(one, next, 1000);
  };
  CHECK(change(before, before) == Change::kNone);
  CHECK(change(before, started(200, 0)) == Change::kRestart);
  const ServerFacts crash = started(100, 150);
  CHECK(change(before, crash) == Change::kCrash);
  CHECK(change(crash, crash) == Change::kNone);
  const ServerFacts blind = started(100, std::nullopt);
  CHECK(change(before, blind) == Change::kNone);
  CHECK(change(blind, crash) == Change::kNone);
}

TEST_CASE("An older postmaster is another server, whose crash of before is none that was seen") {
  const ServerFacts before = started(200, 0);
  CHECK(change_between(before, started(100, 0), 10) == Change::kMove);
  CHECK(change_between(before, started(100, 150), 10) == Change::kMove);
}

TEST_CASE("A younger postmaster is a restart of the server or another one, as its identity tells") {
  struct Server {
    std::string address, system_identifier, timeline;
    bool ran_already = false;  // while the one before still answered
  };
  struct Pair {
    std::string name;
    Server before, now;
    Change change;
  };
  const Pair pairs[] = {
      {"a restart", {"a 1", "7", "1"}, {"a 1", "7", "1"}, Change::kRestart},
      {"a restart of which nothing is known", {}, {}, Change::kRestart},
      {"a restart of a standby", {"a 1", "7", ""}, {"a 1", "7", ""}, Change::kRestart},
      {"a standby that was promoted, then restarted",
       {"a 1", "7", ""},
       {"a 1", "7", "2"},
       Change::kRestart},
      {"a restart in a container, at another address",
       {"a 1", "7", "1"},
       {"b 1", "7", "1"},
       Change::kRestart},
      {"a failover to a standby that was started since",
       {"a 1", "7", "1"},
       {"b 1", "7", "2"},
       Change::kMove},
      {"a failover to one that ran already, behind one address",
       {"v 1", "7", "1"},
       {"v 1", "7", "2", true},
       Change::kMove},
      {"a failover seen without rights, by the port",
       {"a 1", "", ""},
       {"a 2", "", ""},
       Change::kMove},
      {"a failover seen through a Unix socket", {}, {"", "", "", true}, Change::kMove},
      {"another cluster at the same address", {"a 1", "7", "1"}, {"a 1", "8", "1"}, Change::kMove},
      {"a name that leads to a copy of the storage",
       {"a 1", "7", "1"},
       {"b 1", "7", "1", true},
       Change::kMove},
      {"a name that leads to another standby", {"a 1", "7", ""}, {"b 1", "7", ""}, Change::kMove},
      {"a restart, and a clock that was set after it",
       {"a 1", "7", "1"},
       {"a 1", "7", "1", true},
       Change::kRestart},
  };
  for (const Pair& pair : pairs) {
    INFO(pair.name);
    const auto facts_of = [](const Server& server, double start_time) {
      ServerFacts facts = started(start_time, 0);
      facts.clock = start_time + (server.ran_already ? 15 : 5);
      facts.address = server.address;
      facts.system_identifier = server.system_identifier;
      facts.timeline = server.timeline;
      return facts;
    };
    CHECK(change_between(facts_of(pair.before, 100), facts_of(pair.now, 200), 10) == pair.change);
  }
}

TEST_CASE("What one scrape did not learn is as it was, of the same server") {
  ServerFacts before = started(100, 150);
  before.system_identifier = "7";
  before.timeline = "1";
  const ServerFacts after = completed(started(100, std::nullopt), before);
  CHECK(after.crash_restart_time == 150);
  CHECK(after.system_identifier == "7");
  CHECK(after.timeline == "1");
  CHECK_FALSE(completed(started(200, std::nullopt), before).crash_restart_time);
  CHECK(completed(started(200, std::nullopt), before).system_identifier.empty());
  ServerFacts standby = before;
  standby.in_recovery = true;
  CHECK(completed(started(100, 150), standby).timeline.empty());
}
