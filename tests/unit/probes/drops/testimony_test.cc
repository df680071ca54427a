#include "tests/support/catch.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {
namespace {

std::string cause_of(const Evidence& evidence) {
  return std::string(to_string(attribute(evidence).cause));
}

bool tells(const Evidence& evidence, std::string_view words) {
  return attribute(evidence).because.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("the server's log decides what our own evidence leaves open") {
  const Evidence open = Given().canary(unanswered()).backend_pid(7).held(3).survivor(5);
  REQUIRE(cause_of(open) == "unknown");
  const Evidence heard = Given()
                             .canary(unanswered())
                             .backend_pid(7)
                             .held(3)
                             .survivor(5)
                             .log_says(Cause::kIdleSessionTimeout, 7);
  CHECK(cause_of(heard) == "idle_session_timeout");
  CHECK(tells(heard, "the server's log says: it was idle_session_timeout"));
}

TEST_CASE("what the log says of another session decides nothing") {
  const Evidence other = Given()
                             .canary(unanswered())
                             .backend_pid(7)
                             .held(3)
                             .survivor(5)
                             .log_says(Cause::kIdleSessionTimeout, 8);
  CHECK(cause_of(other) == "unknown");
  const Evidence unknown =
      Given().canary(unanswered()).held(3).survivor(5).log_says(Cause::kIdleSessionTimeout, 8);
  CHECK(cause_of(unknown) == "unknown");
}

TEST_CASE("a log that agrees is told as well") {
  const Evidence both =
      Given()
          .roundtrip(fatal("57P01", "terminating connection due to administrator command"))
          .canary(fatal("57P01", "terminating connection due to administrator command"))
          .held(2)
          .restarted()
          .log_says(Cause::kServerShutdown);
  CHECK(cause_of(both) == "server_shutdown");
  CHECK(tells(both, "the server's log says"));
}

TEST_CASE("where the log contradicts what we saw, nobody is believed and both are told") {
  const Evidence torn = Given()
                            .roundtrip(fatal("57P02"))
                            .canary(fatal("57P02"))
                            .held(2)
                            .crash_restarted()
                            .log_says(Cause::kServerShutdown);
  CHECK(cause_of(torn) == "unknown");
  CHECK(tells(torn, "57P02, a backend crashed"));
  CHECK(tells(torn, "but the server's log says: it was server_shutdown"));
}

TEST_CASE("what happened to the server does not contradict a session that said why it ended") {
  const Evidence timeout =
      Given().canary(fatal("57P05")).held(3).survivor(5).log_says(Cause::kServerShutdown);
  CHECK(cause_of(timeout) == "idle_session_timeout");
}

TEST_CASE("an OOM kill that the host counted is not denied by a log that says crash") {
  const Evidence killed = Given()
                              .roundtrip(fatal("57P02"))
                              .canary(fatal("57P02"))
                              .held(2)
                              .crash_restarted()
                              .oom(true)
                              .log_says(Cause::kCrash);
  CHECK(cause_of(killed) == "oom_kill");
}

TEST_CASE("two sessions of one incident may be told apart by the log") {
  const Evidence two = Given()
                           .canary(unanswered())
                           .backend_pid(7)
                           .canary(unanswered())
                           .backend_pid(8)
                           .held(3)
                           .log_says(Cause::kAdminTerminate, 7)
                           .log_says(Cause::kIdleSessionTimeout, 8);
  CHECK(attribute(two, two.drops[0]).cause == Cause::kAdminTerminate);
  CHECK(attribute(two, two.drops[1]).cause == Cause::kIdleSessionTimeout);
  CHECK(cause_of(two) == "unknown");  // the incident's: they disagree
}

TEST_CASE("testimonies that disagree among themselves decide nothing") {
  const Evidence torn = Given()
                            .canary(unanswered())
                            .backend_pid(7)
                            .held(3)
                            .survivor(5)
                            .log_says(Cause::kAdminTerminate, 7)
                            .log_says(Cause::kIdleSessionTimeout, 7);
  CHECK(cause_of(torn) == "unknown");
}

}  // namespace pgconn::probes
