#include "probes/drops/incidents.h"

#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::chrono::steady_clock::time_point kBegin(std::chrono::hours(100));
const std::chrono::system_clock::time_point kDate(std::chrono::hours(400'000));

Drop drop_at(std::chrono::steady_clock::duration after, ProbeKind probe = ProbeKind::kRoundtrip,
             const char* sqlstate = "57P01") {
  const postgres::PgError error(postgres::Phase::kIdle, postgres::Reason::kTerminated, sqlstate,
                                "FATAL: terminating connection", true);
  return {probe, error, kBegin + after, seconds(5), false};
}

TEST_CASE("a hundred drops at once are one incident that holds them all") {
  IncidentLog log("db");
  for (int i = 0; i < 100; ++i) log.add(drop_at(milliseconds(i)), 100 - i, kDate);
  REQUIRE(log.incidents().size() == 1);
  const Incident& incident = log.incidents().front();
  CHECK(incident.drops.size() == 100);
  CHECK(incident.held_before == 100);
  CHECK(incident.target == "db");
  CHECK(incident.began == kDate);
  CHECK(incident.first == kBegin);
  CHECK(incident.last == kBegin + milliseconds(99));
  CHECK_FALSE(incident.decided);
}

Drop idle_for_too_long(std::chrono::steady_clock::duration after) {
  return drop_at(after, ProbeKind::kIdle, "57P05");
}

void decide(Incident& incident, Cause cause) {
  incident.decided = true;
  incident.verdict.cause = cause;
}

TEST_CASE("a drop joins within the time from the last one, and begins a new incident after it") {
  IncidentLog log("db", seconds(3));
  decide(log.add(idle_for_too_long(seconds(0)), 3, kDate), Cause::kIdleSessionTimeout);
  CHECK(log.add(idle_for_too_long(seconds(3)), 2, kDate).id == 1);
  CHECK(log.add(idle_for_too_long(seconds(6)), 1, kDate).id == 1);
  const Incident& next = log.add(idle_for_too_long(milliseconds(9001)), 5, kDate + seconds(9));
  CHECK(next.id == 2);
  CHECK(next.held_before == 5);
  CHECK(next.began == kDate + seconds(9));
  CHECK(next.drops.size() == 1);
  CHECK(log.incidents().size() == 2);
}

TEST_CASE("a drop that was noticed earlier but reported later belongs to the same incident") {
  IncidentLog log("db", seconds(3));
  log.add(drop_at(seconds(10)), 3, kDate);
  const Incident& incident = log.add(drop_at(seconds(8)), 2, kDate);
  CHECK(incident.id == 1);
  CHECK(incident.first == kBegin + seconds(8));
  CHECK(incident.last == kBegin + seconds(10));
  CHECK(log.add(drop_at(seconds(4)), 2, kDate).id == 2);
}

TEST_CASE("a drop joins an incident under investigation, however long after the others") {
  IncidentLog log("db", seconds(3));
  log.add(drop_at(seconds(0)), 3, kDate);
  Incident& incident = log.add(drop_at(seconds(15)), 2, kDate);
  CHECK(incident.id == 1);
  incident.decided = true;
  CHECK(log.add(drop_at(seconds(19)), 2, kDate).id == 2);
}

// A drop of a session that was opened that long after kBegin.
Drop opened_and_idle_for_too_long(std::chrono::steady_clock::duration opened,
                                  std::chrono::steady_clock::duration after) {
  Drop drop = idle_for_too_long(after);
  drop.opened = kBegin + opened;
  return drop;
}

TEST_CASE("sessions that we open again, only to be ended for idleness again, are no news") {
  IncidentLog log("db", seconds(3));
  CHECK(log.goes_on_with(idle_for_too_long(seconds(0))) == nullptr);
  Incident& incident = log.add(idle_for_too_long(seconds(0)), 3, kDate);
  CHECK(log.goes_on_with(opened_and_idle_for_too_long(seconds(2), seconds(3))) == nullptr);
  decide(incident, Cause::kIdleSessionTimeout);
  std::chrono::steady_clock::duration now = seconds(0);
  for (int turn = 1; turn <= 100; ++turn) {  // of ten minutes each, a minute apart
    const auto opened = now + seconds(60);
    now = opened + std::chrono::minutes(10);
    CHECK(log.goes_on_with(opened_and_idle_for_too_long(opened, now)) == &incident);
  }
  CHECK(incident.turns == 100);
  CHECK(incident.drops.size() == 1);  // what goes on forever takes no memory
  CHECK(incident.last == kBegin + now);
  SECTION("until one was held for a while") {
    const auto opened = now + std::chrono::minutes(3);
    CHECK(log.goes_on_with(opened_and_idle_for_too_long(opened, opened + seconds(1))) == nullptr);
  }
  SECTION("but a loss with another message is") {
    Drop other = drop_at(now + seconds(1), ProbeKind::kIdle, "57P01");
    CHECK(log.goes_on_with(other) == nullptr);
  }
}

TEST_CASE("idleness is news after an incident of another cause") {
  IncidentLog log("db", seconds(3));
  decide(log.add(drop_at(seconds(0)), 3, kDate), Cause::kAdminTerminate);
  CHECK(log.goes_on_with(opened_and_idle_for_too_long(seconds(1), seconds(2))) == nullptr);
}

TEST_CASE("a late drop joins a decided incident only if its own message gives the same cause") {
  IncidentLog log("db", seconds(3));
  SECTION("they do") {
    decide(log.add(idle_for_too_long(seconds(0)), 3, kDate), Cause::kIdleSessionTimeout);
    CHECK(log.add(idle_for_too_long(seconds(1)), 2, kDate).decided);
  }
  SECTION("they give another") {
    decide(log.add(drop_at(seconds(0)), 3, kDate), Cause::kAdminTerminate);
    CHECK(log.add(idle_for_too_long(seconds(1)), 2, kDate).id == 2);
  }
  SECTION("57P01 may be a shutdown after a termination") {
    decide(log.add(drop_at(seconds(0)), 3, kDate), Cause::kAdminTerminate);
    const Incident& next = log.add(drop_at(seconds(1)), 2, kDate);
    CHECK(next.id == 2);
    CHECK(next.held_before == 2);
    CHECK_FALSE(next.decided);
  }
}

TEST_CASE("a decided incident is over when it takes no more drops") {
  IncidentLog log("db", seconds(3));
  Incident& incident = log.add(idle_for_too_long(seconds(0)), 3, kDate);
  decide(incident, Cause::kIdleSessionTimeout);
  CHECK(log.over_at(incident) == kBegin + seconds(3));
  log.add(idle_for_too_long(seconds(2)), 3, kDate);
  CHECK(log.over_at(incident) == kBegin + seconds(5));
  for (int i = 4; i <= 60; i += 2) log.add(idle_for_too_long(seconds(i)), 3, kDate);
  CHECK(log.over_at(incident) == kBegin + seconds(60));
  CHECK(log.add(drop_at(seconds(61)), 3, kDate).id == 2);
  CHECK(log.over_at(incident) <= kBegin + seconds(60));
}

TEST_CASE("drops that go on and on begin a new incident each minute") {
  IncidentLog log("db", seconds(3));
  for (int i = 0; i <= 61; ++i) log.add(drop_at(seconds(i)), 3, kDate);
  REQUIRE(log.incidents().size() == 2);
  CHECK(log.incidents().front().drops.size() == 61);
}

TEST_CASE("the last two hundred incidents are kept, oldest first") {
  IncidentLog log("db");
  for (int i = 0; i < 250; ++i) log.add(drop_at(seconds(10) * i), 3, kDate).decided = true;
  CHECK(log.incidents().size() == 200);
  CHECK(log.incidents().front().id == 51);
  CHECK(log.incidents().back().id == 250);
}

TEST_CASE("an incident stays where it is until later ones push it out") {
  IncidentLog log("db", seconds(3), 3);
  Incident& first = log.add(drop_at(seconds(0)), 3, kDate);
  first.decided = true;
  log.add(drop_at(seconds(10)), 3, kDate).decided = true;
  log.add(drop_at(seconds(20)), 3, kDate).decided = true;
  CHECK(&first == &log.incidents().front());
  CHECK(first.id == 1);
  CHECK(log.find(1) == &first);
  log.add(drop_at(seconds(30)), 3, kDate);
  CHECK(log.incidents().front().id == 2);
  CHECK(log.find(1) == nullptr);
  CHECK(log.find(2) == &log.incidents().front());
}

TEST_CASE("the evidence of an incident begins with its drops and how many there were") {
  IncidentLog log("db");
  log.add(drop_at(seconds(0)), 2, kDate);
  const Incident& one = log.add(drop_at(seconds(1), ProbeKind::kIdle), 1, kDate);
  const Evidence evidence = evidence_of(one);
  CHECK(evidence.drops.size() == 2);
  CHECK(evidence.held == 2);
  CHECK(attribute(evidence).scope == Scope::kAll);
  CHECK(attribute(evidence).cause == Cause::kUnknown);
}

}  // namespace
}  // namespace pgconn::probes
