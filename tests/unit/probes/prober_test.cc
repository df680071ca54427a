// How the probes of a target, its held sessions and its ledger react to what happens to a server,
// with a clock that the test advances. tests/faults shows that real servers behave this way.
#include "probes/prober.h"

#include <algorithm>

#include "probes/probe_metrics.h"
#include "tests/support/catch.h"
#include "tests/unit/probes/drops/given_evidence.h"
#include "tests/unit/probes/watched_server.h"

using namespace std::chrono_literals;
using namespace pgconn::probes;
using pgconn::postgres::PgError;
using pgconn::test::WatchedServer;
using Drops = std::map<std::string, double>;

namespace {

// All probes with their defaults, except the certificate probe.
ProbeSettings defaults() { return {}; }

// Checks that there is one incident, with this cause and scope.
void check_incident(const WatchedServer& watched, Cause cause, Scope scope) {
  REQUIRE(watched.incidents.size() == 1);
  const Verdict& verdict = watched.incidents[0].verdict;
  CAPTURE(verdict.because);
  CHECK(to_string(verdict.cause) == to_string(cause));
  CHECK(to_string(verdict.scope) == to_string(scope));
  CHECK(watched.counted(families::kIncidents, {std::string(to_string(cause))}) == 1);
  CHECK(watched.failures.empty());
}

}  // namespace

TEST_CASE("by default a lively connection and two canaries are held, and the server is looked at") {
  WatchedServer watched(defaults());
  watched.pass(30s);
  CHECK(watched.server.sessions_for("roundtrip") == 1);
  CHECK(watched.server.sessions_for("idle") == 2);
  CHECK(watched.server.sessions_for("diagnose") == 0);  // closed again
  CHECK(watched.server.asked.size() == 1);
  CHECK(watched.counted(families::kDuration, {}) == 0);  // a histogram has no samples
  CHECK(watched.counted(families::kFailures) == 0);
  CHECK(watched.incidents.empty());
}

TEST_CASE("an hour in which nothing happens counts no drop, and the ladder climbs") {
  WatchedServer watched(defaults());
  watched.pass(2h);
  CHECK(watched.drops() == Drops{});
  CHECK(watched.counted(families::kFailures) == 0);
  CHECK(watched.counted(families::kCanaryResults, {"survived", "30"}) >= 1);
  CHECK(watched.counted(families::kCanaryResults, {"survived", "1800"}) >= 1);
  CHECK(watched.counted(families::kCanaryResults, {"dropped"}) == 0);
}

TEST_CASE("one session that is terminated is one drop and one incident, counted within a second") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.terminate(0);
  watched.pass(3s);
  CHECK(watched.drops() == Drops{{"admin_terminate", 1}});
  check_incident(watched, Cause::kAdminTerminate, Scope::kOne);
  watched.pass(60s);
  CHECK(watched.server.sessions() == 3);  // it is held again
}

TEST_CASE("a restart takes all held sessions and is one incident, once the new start is seen") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.restart(2000ms);
  watched.pass(20s);
  CHECK(watched.drops() == Drops{{"server_shutdown", 3}});
  check_incident(watched, Cause::kServerShutdown, Scope::kAll);
}

TEST_CASE("a backend that dies without words among others that hear of a crash is a crash") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.crash(0, 1000ms);
  watched.pass(20s);
  CHECK(watched.drops() == Drops{{"crash", 3}});
  check_incident(watched, Cause::kCrash, Scope::kAll);
}

TEST_CASE("a path that forgets silent connections is found out, and its limit bracketed") {
  WatchedServer watched(defaults());
  watched.server.path.forgets_after = 200s;
  watched.pass(12h);
  REQUIRE(watched.prober.path_idle_limit());
  CHECK(*watched.prober.path_idle_limit() > 180s);
  CHECK(*watched.prober.path_idle_limit() <= 200s);
  CHECK(watched.drops().contains("path_idle_timeout"));
  REQUIRE(watched.incidents.size() > 5);
  // The first may be due to silence or age: no older connection can prove which.
  CHECK(watched.incidents[0].verdict.cause == Cause::kUnknown);
  for (std::size_t i = 1; i < watched.incidents.size(); ++i) {
    CHECK(watched.incidents[i].verdict.cause == Cause::kPathIdleTimeout);
    CHECK(watched.incidents[i].verdict.scope == Scope::kIdleOnly);
  }
  CHECK(watched.counted(families::kCanaryResults, {"dropped"}) >= 2);
}

TEST_CASE("a path that swallows everything is a silent network for all") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.path.swallows_all = true;
  watched.pass(60s);
  check_incident(watched, Cause::kNetworkSilent, Scope::kAll);
}

TEST_CASE("a session that the server ends for idleness is opened later each time, and told once") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  for (int i = 0; i < 600; ++i) {
    watched.server.end_all(fatal("57P05", "terminating connection due to idle-session timeout"));
    watched.pass(500ms);
  }
  CHECK(watched.incidents.size() == 1);
  CHECK(watched.drops().size() == 1);
  // Each of three is opened after half to all of 5, 10, 20, 40 and then 60 seconds.
  CHECK(watched.drops().at("idle_session_timeout") <= 3 * 12);
  CHECK(watched.drops().at("idle_session_timeout") >= 3 * 3);
}

TEST_CASE("what a new session is told does not keep a loss with words from being counted soon") {
  const PgError refusal =
      GENERATE(no_database(), rejected(), too_many(),
               PgError(pgconn::postgres::Phase::kTls, pgconn::postgres::Reason::kTlsUnsupported, "",
                       "server does not support SSL", true));
  CAPTURE(refusal.what());
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.refusal = refusal;
  watched.server.terminate(0);
  CHECK(watched.time.pass_until([&] { return !watched.drops().empty(); }, 5s));
  CHECK(watched.drops() == Drops{{"admin_terminate", 1}});
  watched.pass(60s);
  check_incident(watched, Cause::kAdminTerminate, Scope::kOne);
}

TEST_CASE("when all are ended and nobody is let in any more, that is counted within five seconds") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.refusal = no_database();
  watched.server.end_all(fatal("57P01", "terminating connection due to administrator command"));
  CHECK(watched.time.pass_until([&] { return !watched.drops().empty(); }, 5s));
  watched.pass(60s);
  REQUIRE(watched.incidents.size() == 1);
  CHECK(watched.incidents[0].verdict.scope == Scope::kAll);
  CHECK(watched.counted(families::kDrops) == 3);
}

TEST_CASE("a session that took nearly all of a run's time to open still has time to answer") {
  WatchedServer watched(defaults());
  watched.server.login = 1995ms;  // of two seconds
  watched.pass(60s);
  watched.server.terminate(0);
  watched.pass(60s);
  CHECK(watched.drops() == Drops{{"admin_terminate", 1}});
}

TEST_CASE("a server that lets nobody in is tried later and later, and each failure is counted") {
  WatchedServer watched(defaults());
  watched.server.refusal = refused();
  watched.pass(10min);
  CHECK(watched.drops() == Drops{});
  CHECK(watched.server.sessions() == 0);
  CHECK(watched.counted(families::kFailures, {"connect", "tcp", "refused"}) >= 39);  // each 15 s
  CHECK(watched.counted(families::kFailures, {"roundtrip", "tcp", "refused"}) >= 100);
  CHECK(watched.counted(families::kFailures, {"idle", "tcp", "refused"}) <= 2 * 30);
  const double failures = watched.counted(families::kFailures);
  watched.server.refusal.reset();
  watched.pass(90s);
  CHECK(watched.server.sessions_for("roundtrip") == 1);
  CHECK(watched.server.sessions_for("idle") == 2);
  CHECK(watched.counted(families::kFailures) <= failures + 1);
}

TEST_CASE("what a path that swallows has left at the server is ended once it is reached again") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.server.path.resets_strangers = false;
  watched.server.forget_all();
  watched.pass(5min);
  const auto& asked = watched.server.asked;
  const auto ends = std::count_if(asked.begin(), asked.end(), [](const std::string& sql) {
    return sql.find("pg_terminate_backend") != std::string::npos;
  });
  CHECK(ends == 3);
}

TEST_CASE("after stop() every probe ends and no loss is counted for that") {
  WatchedServer watched(defaults());
  watched.pass(60s);
  watched.prober.stop();
  watched.pass(0s);
  CHECK(watched.prober.at_rest());
  CHECK(watched.server.sessions() == 0);
  CHECK(watched.drops() == Drops{});
}
