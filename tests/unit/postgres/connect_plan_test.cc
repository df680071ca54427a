#include "postgres/connect_plan.h"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

using namespace std::chrono_literals;

const Deadline kStart{};

std::vector<Endpoint> hosts(const std::vector<std::string>& names) {
  std::vector<Endpoint> endpoints;
  for (const std::string& name : names) endpoints.push_back({name, "", "5432"});
  return endpoints;
}

std::string names(const ConnectPlan& plan) {
  std::string text;
  for (const Endpoint& endpoint : plan.endpoints()) text += endpoint.host;
  return text;
}

TEST_CASE("one endpoint has all the time") {
  for (const bool prefers_standby : {false, true}) {
    ConnectPlan plan(hosts({"a"}), prefers_standby, kStart + 10s);
    plan.begin(kStart);
    plan.is_at("a", "", "5432", kStart + 1s);
    CHECK(plan.turn_ends() == kStart + 10s);
    CHECK_FALSE(plan.leave_out());
  }
}

TEST_CASE("each endpoint has an equal share of what the ones before it left") {
  ConnectPlan plan(hosts({"a", "b", "c"}), false, kStart + 9s);
  plan.begin(kStart);
  CHECK(plan.turn_ends() == kStart + 3s);
  plan.is_at("a", "", "5432", kStart + 1s);  // still the same turn
  CHECK(plan.turn_ends() == kStart + 3s);
  plan.is_at("b", "", "5432", kStart + 1s);  // a has refused
  CHECK(plan.turn_ends() == kStart + 5s);
  plan.is_at("c", "", "5432", kStart + 5s);
  CHECK(plan.turn_ends() == kStart + 9s);
}

TEST_CASE(
    "an endpoint that is up may be slow to log in: most of the time left, all of it for the last") {
  ConnectPlan plan(hosts({"a", "b", "c"}), false, kStart + 9s);
  plan.begin(kStart);
  plan.is_up(kStart + 1s);
  CHECK(plan.turn_ends() == kStart + 7s);
  plan.is_at("a", "", "5432", kStart + 2s);  // neither moves the end
  plan.is_up(kStart + 2s);
  CHECK(plan.turn_ends() == kStart + 7s);
  plan.is_at("b", "", "5432", kStart + 3s);  // not up before it has taken a connection itself
  CHECK(plan.turn_ends() == kStart + 6s);
  plan.is_up(kStart + 5s);
  CHECK(plan.turn_ends() == kStart + 8s);
  plan.is_at("c", "", "5432", kStart + 8s);
  plan.is_up(kStart + 8s);
  CHECK(plan.turn_ends() == kStart + 9s);
}

TEST_CASE("one that froze after it was up leaves a quarter for the others") {
  ConnectPlan plan(hosts({"a", "b"}), false, kStart + 8s);
  plan.begin(kStart);
  plan.is_up(kStart);
  CHECK(plan.turn_ends() == kStart + 6s);
  CHECK(plan.leave_out());
  plan.begin(kStart + 6s);
  CHECK(plan.turn_ends() == kStart + 8s);
}

TEST_CASE("the last one of the first pass leaves time for the second") {
  ConnectPlan plan(hosts({"a", "b"}), true, kStart + 8s);
  plan.begin(kStart);
  plan.is_at("b", "", "5432", kStart);
  plan.is_up(kStart);
  CHECK(plan.turn_ends() == kStart + 6s);
  plan.is_at("a", "", "5432", kStart + 4s);
  plan.is_at("b", "", "5432", kStart + 4s);
  plan.is_up(kStart + 4s);
  CHECK(plan.turn_ends() == kStart + 8s);
}

TEST_CASE("an endpoint that used up its turn is left out, with those that refused before it") {
  ConnectPlan plan(hosts({"a", "b", "c", "d"}), false, kStart + 10s);
  plan.begin(kStart);
  plan.is_at("b", "", "5432", kStart);
  CHECK(plan.leave_out());
  CHECK(names(plan) == "cd");
  plan.begin(kStart + 4s);
  CHECK(plan.turn_ends() == kStart + 7s);
  CHECK(plan.leave_out());
  CHECK(names(plan) == "d");
  CHECK_FALSE(plan.leave_out());
}

TEST_CASE("a standby is looked for among all, and then anything among those that are not silent") {
  ConnectPlan plan(hosts({"a", "b", "c"}), true, kStart + 12s);
  plan.begin(kStart);
  CHECK(plan.turn_ends() == kStart + 2s);  // three turns now, three in the second pass
  plan.is_at("b", "", "5432", kStart);     // a is a primary
  CHECK(plan.leave_out());                 // b is silent
  CHECK(names(plan) == "ac");
  plan.begin(kStart + 4s);
  plan.is_at("c", "", "5432", kStart + 4s);
  plan.is_at("a", "", "5432", kStart + 4s);  // c is no standby either
  CHECK(plan.turn_ends() == kStart + 8s);
}

TEST_CASE("addresses of one name are told apart, however they are written") {
  const std::vector<Endpoint> endpoints = {{"a", "fe80::1%lo", "5432"},
                                           {"a", "::0001", "5432"},
                                           {"a", "127.0.0.1", "5432"},
                                           {"", "127.0.0.2", "5433"},
                                           {"/run/pg", "", "5434"}};
  ConnectPlan plan(endpoints, false, kStart + 60s);
  plan.begin(kStart);
  CHECK(plan.turn_ends() == kStart + 12s);
  plan.is_at("a", "fe80::1", "5432", kStart + 4s);
  CHECK(plan.turn_ends() == kStart + 12s);
  plan.is_at("a", "::1", "5432", kStart + 4s);
  CHECK(plan.turn_ends() == kStart + 18s);
  plan.is_at("a", "127.0.0.1", "5432", kStart + 18s);
  CHECK(plan.turn_ends() == kStart + 32s);
  plan.is_at("127.0.0.2", "127.0.0.2", "5433", kStart + 20s);
  CHECK(plan.turn_ends() == kStart + 40s);
  plan.is_at("/run/pg", "", "5434", kStart + 20s);
  CHECK(plan.turn_ends() == kStart + 60s);
}

TEST_CASE("a shuffle can give each order, with equal probability") {
  std::map<std::string, int> orders;
  for (const double first : {0.1, 0.4, 0.8}) {
    for (const double second : {0.0, 0.999}) {
      std::vector<double> thrown = {second, first};
      std::vector<Endpoint> endpoints = hosts({"a", "b", "c"});
      shuffle(endpoints, [&thrown] {
        const double number = thrown.back();
        thrown.pop_back();
        return number;
      });
      CHECK(thrown.empty());
      ++orders[names(ConnectPlan(endpoints, false, kStart))];
    }
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("there is nothing to shuffle in one endpoint or none") {
  for (std::vector<Endpoint> endpoints : {hosts({}), hosts({"a"})}) {
    const std::size_t size = endpoints.size();
    shuffle(endpoints, []() -> double { throw std::logic_error("dice thrown"); });
    CHECK(endpoints.size() == size);
  }
}

TEST_CASE("an endpoint that is not in the list leaves the turn as it is") {
  ConnectPlan plan(hosts({"a", "b"}), false, kStart + 10s);
  plan.begin(kStart);
  plan.is_at("elsewhere", "", "5432", kStart + 1s);
  CHECK(plan.turn_ends() == kStart + 5s);
}

}  // namespace
}  // namespace pgconn::postgres
