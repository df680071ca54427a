// Ages, silences and pauses drawn at random: whatever the timing, not one wrong cause.
#include <functional>
#include <random>
#include <set>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/probes/drops/simulated_path.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Causes = std::set<Cause>;

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

SimulatedProbes probes(Dice& dice) {
  SimulatedProbes probes;
  probes.interval = dice.some(500, 4000);
  probes.timeout = dice.some(300, 2000);
  probes.canary_timeout = dice.some(300, 5000);
  for (milliseconds rung = dice.some(700, 3000); rung < seconds(200); rung *= 2) {
    probes.ladder.push_back(rung);
  }
  return probes;
}

void pause(Misbehaviour& path, Dice& dice) {
  path.pause_at = dice.some(20'000, 60'000);
  path.pause_for = dice.some(300, 8000);
}

// Runs one kind of path at each timing: no cause but those allowed. In how many of the runs
// `expected` was reported.
unsigned runs_that_tell(Cause expected, const Causes& allowed, bool may_be_idle_only,
                        const std::function<Misbehaviour(Dice&)>& misbehave) {
  unsigned runs = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    const Misbehaviour path = misbehave(dice);
    SimulatedPath simulated(path, probes(dice), seed);
    bool told = false;
    for (const Verdict& verdict : simulated.run(seconds(300))) {
      INFO("seed " << seed << ": " << to_string(verdict.cause) << ", " << to_string(verdict.scope)
                   << ", " << verdict.because);
      CHECK(allowed.contains(verdict.cause));
      CHECK((may_be_idle_only || verdict.scope != Scope::kIdleOnly));
      told = told || verdict.cause == expected;
    }
    INFO("seed " << seed);
    CHECK((allowed.contains(Cause::kPathIdleTimeout) || !simulated.ladder().shortest_dropped()));
    runs += told ? 1 : 0;
  }
  return runs;
}

TEST_CASE("whatever the timing, a path that ends all at an age forgets no idle ones") {
  const unsigned told = runs_that_tell(
      Cause::kNetworkReset, {Cause::kNetworkReset, Cause::kUnknown}, false, [](Dice& dice) {
        Misbehaviour path;
        path.lifetime = dice.some(4000, 90'000);
        if (dice.coin()) pause(path, dice);
        return path;
      });
  CHECK(told >= kSeeds / 2);
}

TEST_CASE("whatever the timing, a path that forgets idle ones is reported as that, or not at all") {
  const unsigned told = runs_that_tell(
      Cause::kPathIdleTimeout, {Cause::kPathIdleTimeout, Cause::kUnknown}, true, [](Dice& dice) {
        Misbehaviour path;
        path.forgets_after = dice.some(5000, 60'000);
        path.resets_strangers = dice.coin();
        if (dice.coin()) pause(path, dice);
        return path;
      });
  CHECK(told >= kSeeds * 9 / 10);
}

TEST_CASE("whatever the timing, a pause is not blamed on anybody") {
  runs_that_tell(Cause::kUnknown, {Cause::kUnknown}, false, [](Dice& dice) {
    Misbehaviour path;
    pause(path, dice);
    return path;
  });
}

TEST_CASE("whatever the timing, a path that forgets all is a silent network, or not reported") {
  const unsigned told = runs_that_tell(
      Cause::kNetworkSilent, {Cause::kNetworkSilent, Cause::kUnknown}, false, [](Dice& dice) {
        Misbehaviour path;
        path.forgets_all_at = dice.some(20'000, 60'000);
        return path;
      });
  CHECK(told >= kSeeds / 2);
}

}  // namespace
}  // namespace pgconn::probes
