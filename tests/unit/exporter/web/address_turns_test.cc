#include "exporter/web/address_turns.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using Said = std::vector<std::string>;

// Asks for turns under a name, and records who was told what.
class Askers {
 public:
  explicit Askers(AddressTurns::Limits limits) : turns_(limits) {}

  AddressTurns::Turn ask(const std::string& address, const std::string& name) {
    return turns_.ask(
        address, [this, name](bool come) { said.push_back(name + (come ? " may" : " may not")); });
  }
  void leave(AddressTurns::Turn turn) { turns_.leave(turn); }

  Said said;

 private:
  AddressTurns turns_;
};

TEST_CASE("a turn comes at once while there is one, and otherwise when another is over") {
  Askers askers({.at_once = 2, .at_once_of_one_address = 2, .waiting = 10});
  const auto first = askers.ask("a", "1");
  askers.ask("a", "2");
  askers.ask("a", "3");
  CHECK(askers.said == Said{"1 may", "2 may"});
  askers.leave(first);
  CHECK(askers.said == Said{"1 may", "2 may", "3 may"});
}

TEST_CASE(
    "many of one address wait for one another, and one of another address for only one of them") {
  Askers askers({.at_once = 1, .at_once_of_one_address = 1, .waiting = 10});
  auto turn = askers.ask("guesser", "g1");
  std::vector<AddressTurns::Turn> later;
  for (const std::string name : {"g2", "g3", "g4"}) later.push_back(askers.ask("guesser", name));
  later.push_back(askers.ask("other", "o1"));
  askers.said.clear();
  askers.leave(turn);
  askers.leave(later[0]);
  askers.leave(later[3]);
  askers.leave(later[1]);
  CHECK(askers.said == Said{"g2 may", "o1 may", "g3 may", "g4 may"});
}

TEST_CASE("an address leaves some of the turns to others, however many it has waiting") {
  Askers askers({.at_once = 3, .at_once_of_one_address = 2, .waiting = 10});
  const auto first = askers.ask("a", "a1");
  askers.ask("a", "a2");
  askers.ask("a", "a3");
  CHECK(askers.said == Said{"a1 may", "a2 may"});
  askers.ask("b", "b1");
  CHECK(askers.said.back() == "b1 may");
  askers.leave(first);
  CHECK(askers.said.back() == "a3 may");
}

TEST_CASE("with too many waiting, the last of the address with the most is sent away") {
  Askers askers({.at_once = 1, .at_once_of_one_address = 1, .waiting = 3});
  const auto begun = askers.ask("a", "a0");
  for (const std::string name : {"a1", "a2", "a3"}) askers.ask("a", name);
  askers.said.clear();
  SECTION("which is its own if one more of it comes") {
    askers.ask("a", "a4");
    CHECK(askers.said == Said{"a4 may not"});
  }
  SECTION("and makes room for one of another address") {
    askers.ask("b", "b1");
    CHECK(askers.said == Said{"a3 may not"});
    askers.ask("b", "b2");  // now each has as many: the first to come stays
    CHECK(askers.said == Said{"a3 may not", "b2 may not"});
    askers.leave(begun);
    CHECK(askers.said.back() == "a1 may");
  }
}

TEST_CASE(
    "one that leaves while waiting is never called, and one that was sent away may leave too") {
  Askers askers({.at_once = 1, .at_once_of_one_address = 1, .waiting = 1});
  const auto begun = askers.ask("a", "a1");
  const auto waiting = askers.ask("a", "a2");
  const auto refused = askers.ask("a", "a3");
  askers.leave(waiting);
  askers.leave(waiting);
  askers.leave(refused);
  askers.leave(begun);
  CHECK(askers.said == Said{"a1 may", "a3 may not"});
  askers.ask("a", "a4");
  CHECK(askers.said.back() == "a4 may");
}

}  // namespace
}  // namespace pgconn::exporter
