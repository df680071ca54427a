#include "exporter/targets/snapshot.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using probes::Incident;

Incident incident(std::uint64_t id) {
  Incident made;
  made.id = id;
  return made;
}

TEST_CASE("incidents that have not changed are shared between snapshots, others are copied") {
  std::deque<Incident> incidents = {incident(1), incident(2)};
  IncidentCopies copies;
  const auto first = copies.of(incidents);
  REQUIRE(first.size() == 2);
  incidents[1].decided = true;
  incidents[1].verdict.because = "it said so";
  incidents.push_back(incident(3));
  const auto second = copies.of(incidents);
  REQUIRE(second.size() == 3);
  CHECK(second[0] == first[0]);
  CHECK(second[1] != first[1]);
  CHECK(second[1]->verdict.because == "it said so");
  CHECK_FALSE(first[1]->decided);  // what somebody holds does not change
  incidents.pop_front();
  const auto third = copies.of(incidents);
  REQUIRE(third.size() == 2);
  CHECK(third[0] == second[1]);
  CHECK(third[1]->id == 3);
}

TEST_CASE("an incident that takes one more drop is another value") {
  std::deque<Incident> incidents = {incident(1)};
  IncidentCopies copies;
  const auto before = copies.of(incidents);
  incidents[0].turns = 1;
  const auto after = copies.of(incidents);
  CHECK(after[0] != before[0]);
  CHECK(after[0]->in_all() == before[0]->in_all() + 1);
}

TEST_CASE("a trouble says what failed and what to do about it") {
  const Trouble trouble = Trouble::of(postgres::PgError(
      postgres::Phase::kTcp, postgres::Reason::kRefused, "", "nobody listens", true));
  CHECK(trouble.error == "nobody listens");
  CHECK_FALSE(trouble.advice.empty());
}

}  // namespace
}  // namespace pgconn::exporter
