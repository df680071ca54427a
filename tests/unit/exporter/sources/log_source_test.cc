#include "exporter/sources/log_source.h"

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using namespace pgconn;
using exporter::of_incident;
using exporter::testimony_of;
using probes::Cause;
using probes::Testimony;
using server_log::Event;
using server_log::TimePoint;

namespace {

const TimePoint kNow(1'700'000'000s);

std::optional<Testimony> testimony(Event event, std::int32_t pid, std::int32_t subject = 0,
                                   std::int32_t actor = 0, int signal = 0) {
  server_log::Entry entry;
  entry.pid = pid;
  server_log::Classified classified;
  classified.event = event;
  classified.subject = subject;
  classified.actor = actor;
  classified.signal = signal;
  return testimony_of(entry, classified, kNow);
}

Testimony at(TimePoint time, Cause cause) {
  Testimony testimony;
  testimony.at = time;
  testimony.cause = cause;
  return testimony;
}

}  // namespace

TEST_CASE("an event of a session testifies of that session, one of the server of all") {
  CHECK(testimony(Event::kIdleSessionTimeout, 7)->backend_pid == 7);
  CHECK(testimony(Event::kIdleSessionTimeout, 7)->cause == Cause::kIdleSessionTimeout);
  CHECK(testimony(Event::kFastShutdown, 1)->backend_pid == 0);
  CHECK(testimony(Event::kFastShutdown, 1)->cause == Cause::kServerShutdown);
}

TEST_CASE("who did it is told where the log knows") {
  CHECK(testimony(Event::kAdminTerminate, 7, 0, 9)->words ==
        "it was terminated by an administrator, by process 9");
  CHECK(testimony(Event::kBackendCrash, 1, 8, 0, 9)->words ==
        "a server process crashed (process 8, signal 9)");
}

TEST_CASE("an event that says nothing of how sessions end testifies nothing") {
  CHECK_FALSE(testimony(Event::kConnectionReceived, 7));
  CHECK_FALSE(testimony(Event::kIdleSessionTimeout, 0));  // of nobody knows which session
  CHECK_FALSE(testimony_of({}, {}, kNow));
}

TEST_CASE("an entry without a time is taken to be of now, one with a time of then") {
  server_log::Entry entry;
  server_log::Classified classified;
  classified.event = Event::kFastShutdown;
  CHECK(testimony_of(entry, classified, kNow)->at == kNow);
  entry.time = kNow - 1h;
  CHECK(testimony_of(entry, classified, kNow)->at == kNow - 1h);
}

TEST_CASE("an incident hears what was logged at about its time") {
  const std::deque<Testimony> kept = {at(kNow - 1min, Cause::kCrash),
                                      at(kNow, Cause::kIdleSessionTimeout),
                                      at(kNow + 1min, Cause::kCrash)};
  const auto heard = of_incident(kept, kNow - 5s, kNow + 5s);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].cause == Cause::kIdleSessionTimeout);
}

TEST_CASE("in a shutdown the words of a terminate testify nothing") {
  const std::deque<Testimony> kept = {at(kNow, Cause::kServerShutdown),
                                      at(kNow + 1s, Cause::kAdminTerminate)};
  const auto heard = of_incident(kept, kNow - 5s, kNow + 5s);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].cause == Cause::kServerShutdown);
  // Another time's shutdown is none of theirs.
  CHECK(of_incident(kept, kNow + 500ms, kNow + 5s).size() == 1);
  CHECK(of_incident(kept, kNow + 500ms, kNow + 5s)[0].cause == Cause::kAdminTerminate);
}
