// Ages, idle times and pauses drawn at random: no timing may lead to a wrong cause. The probes and
// the ledger are the real ones; the server and the path are simulated.
#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "probes/drops/drop_metrics.h"
#include "probes/drops/investigation.h"
#include "tests/support/catch.h"
#include "tests/unit/probes/drops/given_evidence.h"
#include "tests/unit/probes/watched_server.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::SimulatedServer;
using test::WatchedServer;
using Causes = std::set<std::string_view>;

constexpr unsigned kSeeds = 50;

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed * 7919 + 1) {}
  milliseconds some(int least, int most) {
    return milliseconds(std::uniform_int_distribution(least, most)(random_));
  }
  bool coin() { return some(0, 1) == milliseconds(1); }

 private:
  std::mt19937 random_;
};

ProbeSettings probes(Dice& dice) {
  ProbeSettings settings;
  settings.roundtrip.interval = dice.some(500, 4000);
  settings.roundtrip.timeout = dice.some(300, 2000);
  settings.idle.timeout = dice.some(300, 5000);
  settings.idle.ladder.clear();
  for (milliseconds rung = dice.some(700, 3000); rung < seconds(200); rung *= 2) {
    settings.idle.ladder.push_back(rung);
  }
  return settings;
}

// Some minutes of trouble. Returns how long the server stood still.
using Misbehaviour = std::function<milliseconds(WatchedServer&, Dice&)>;

milliseconds pause(WatchedServer& watched, Dice& dice) {
  const milliseconds pause = dice.some(300, 8000);
  watched.pass(dice.some(20'000, 60'000));
  watched.server.pause(pause);
  watched.pass(seconds(240));
  return pause;
}

milliseconds perhaps_pause(WatchedServer& watched, Dice& dice) {
  if (dice.coin()) return pause(watched, dice);
  watched.pass(seconds(300));
  return milliseconds(0);
}

// Runs one kind of misbehaviour at each timing, and allows no drop or incident with another cause.
// Returns in how many runs `expected` was found.
unsigned runs_that_tell(std::string_view expected, const Causes& in_any_case, bool may_be_idle_only,
                        const Misbehaviour& misbehave) {
  unsigned runs = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    WatchedServer watched(probes(dice), seed);
    const milliseconds paused = misbehave(watched, dice);
    Causes allowed = in_any_case;
    // For that long nobody could be reached.
    if (paused > kOneAttempt) allowed.insert("server_unreachable");
    CAPTURE(seed, paused.count());
    bool told = false;
    for (const Incident& incident : watched.incidents) {
      const Verdict& verdict = incident.verdict;
      CAPTURE(to_string(verdict.cause), to_string(verdict.scope), verdict.because);
      CHECK(allowed.contains(to_string(verdict.cause)));
      CHECK((may_be_idle_only || verdict.scope != Scope::kIdleOnly));
      told = told || to_string(verdict.cause) == expected;
    }
    for (const auto& [cause, count] : watched.drops()) {
      CAPTURE(cause, count);
      CHECK(allowed.contains(cause));
    }
    CHECK((allowed.contains("path_idle_timeout") || !watched.prober.path_idle_limit()));
    CHECK(watched.failures.empty());
    runs += told ? 1 : 0;
  }
  return runs;
}

// When each drop was counted, looked at often.
class Counting {
 public:
  explicit Counting(WatchedServer& watched) : watched_(watched) {}

  void pass(milliseconds duration) {
    const Clock::time_point end = watched_.time.now() + duration;
    while (watched_.time.now() < end) {
      watched_.pass(kOften);
      const double counted = watched_.counted(families::kDrops);
      while (static_cast<double>(at_.size()) < counted) at_.push_back(watched_.time.now());
    }
  }

  // The longest time from noticing a drop to counting it, at least: the first counted is taken for
  // the first noticed.
  Clock::duration longest() const {
    std::vector<Clock::time_point> noticed;
    for (const Incident& incident : watched_.incidents) {
      for (const Drop& drop : incident.drops) noticed.push_back(drop.at);
    }
    std::sort(noticed.begin(), noticed.end());
    Clock::duration longest{0};
    for (std::size_t i = 0; i < std::min(noticed.size(), at_.size()); ++i) {
      longest = std::max(longest, at_[i] - noticed[i]);
    }
    return longest;
  }

 private:
  static constexpr milliseconds kOften{50};
  WatchedServer& watched_;
  std::vector<Clock::time_point> at_;
};

}  // namespace

TEST_CASE("whatever the timing, a drop is counted soon, whether its cause is known or not") {
  struct Fault {
    seconds limit;  // eleven if evidence that decides may still come
    std::function<void(SimulatedServer&, Dice&)> happen;
  };
  const auto ends_at_age = [](auto& server, Dice& dice) {
    server.path.lifetime = dice.some(4000, 60'000);
  };
  const auto forgets_silent_ones = [](auto& server, Dice& dice) {
    server.path.forgets_after = dice.some(3000, 20'000);
    server.path.resets_strangers = dice.coin();
  };
  const auto forgets_all = [](auto& server, Dice& dice) {
    server.path.resets_strangers = dice.coin();
    server.forget_all();
  };
  const auto resets_all = [](auto& server, Dice&) {  // a firewall, or a host that is gone
    server.refusal = refused();
    server.end_all(reset());
  };
  const std::vector<Fault> faults = {
      {seconds(11), ends_at_age},
      {seconds(11), forgets_silent_ones},
      {seconds(11), resets_all},
      {seconds(5), forgets_all},
      {seconds(5), [](auto& server, Dice&) { server.path.swallows_all = true; }},
      {seconds(5), [](auto& server, Dice& dice) { server.pause(dice.some(2000, 20'000)); }},
      {seconds(5), [](auto& server, Dice& dice) { server.restart(dice.some(50, 20'000)); }},
      {seconds(5), [](auto& server, Dice& dice) { server.crash(0, dice.some(50, 20'000)); }},
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    for (unsigned seed = 1; seed <= 10; ++seed) {
      Dice dice(seed);
      WatchedServer watched(seed == 1 ? ProbeSettings() : probes(dice), seed);
      watched.pass(seconds(20));
      Counting counting(watched);
      faults[i].happen(watched.server, dice);
      counting.pass(seconds(90));
      watched.pass(seconds(60));  // until all incidents are decided
      CAPTURE(i, seed);
      CHECK(counting.longest() <= faults[i].limit);
    }
  }
}

TEST_CASE("whatever the timing, a path that ends all at an age forgets no silent ones") {
  const auto ends_at_age = [](WatchedServer& watched, Dice& dice) {
    watched.server.path.lifetime = dice.some(4000, 90'000);
    return perhaps_pause(watched, dice);
  };
  const Causes allowed = {"network_reset", "unknown"};
  CHECK(runs_that_tell("network_reset", allowed, false, ends_at_age) >= kSeeds / 2);
}

TEST_CASE("whatever the timing, a path that forgets silent ones is told as that, or not at all") {
  const auto forgets = [](WatchedServer& watched, Dice& dice) {
    watched.server.path.forgets_after = dice.some(5000, 60'000);
    watched.server.path.resets_strangers = dice.coin();  // which may be all that is known
    return perhaps_pause(watched, dice);
  };
  const Causes allowed = {"path_idle_timeout", "network_reset", "unknown"};
  CHECK(runs_that_tell("path_idle_timeout", allowed, true, forgets) >= kSeeds * 9 / 10);
}

TEST_CASE("whatever the timing, a pause is not blamed on anybody") {
  runs_that_tell("unknown", {"unknown"}, false, pause);
}

TEST_CASE("whatever the timing, a path that forgets all is a silent network, or not told") {
  const auto forgets_all = [](WatchedServer& watched, Dice& dice) {
    watched.server.path.resets_strangers = false;
    watched.pass(dice.some(20'000, 60'000));
    watched.server.forget_all();
    watched.pass(seconds(240));
    return milliseconds(0);
  };
  const Causes allowed = {"network_silent", "unknown"};
  CHECK(runs_that_tell("network_silent", allowed, false, forgets_all) >= kSeeds / 2);
}

TEST_CASE("whatever the timing, a restart is a restart, and one incident") {
  const auto restarts = [](WatchedServer& watched, Dice& dice) {
    watched.pass(dice.some(20'000, 60'000));
    watched.server.restart(dice.some(50, 3000));
    watched.pass(seconds(240));
    CHECK(watched.incidents.size() == 1);
    return milliseconds(0);
  };
  CHECK(runs_that_tell("server_shutdown", {"server_shutdown"}, false, restarts) == kSeeds);
}

TEST_CASE("whatever the timing, a crash is a crash, and one incident") {
  const auto crashes = [](WatchedServer& watched, Dice& dice) {
    watched.pass(dice.some(20'000, 60'000));
    watched.server.crash(0, dice.some(50, 3000));
    watched.pass(seconds(240));
    CHECK(watched.incidents.size() == 1);
    return milliseconds(0);
  };
  CHECK(runs_that_tell("crash", {"crash"}, false, crashes) == kSeeds);
}

TEST_CASE("whatever the timing, one session that is terminated is one drop") {
  const auto terminates = [](WatchedServer& watched, Dice& dice) {
    watched.pass(dice.some(20'000, 60'000));
    watched.server.terminate(0);
    watched.pass(seconds(240));
    CHECK(watched.drops() == std::map<std::string, double>{{"admin_terminate", 1}});
    return milliseconds(0);
  };
  CHECK(runs_that_tell("admin_terminate", {"admin_terminate"}, false, terminates) == kSeeds);
}

}  // namespace pgconn::probes
