#include "probes/drops/record.h"

#include "tests/support/catch.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

// 2023-11-14 22:13:20 UTC.
const system_clock::time_point kBegan{std::chrono::seconds(1'700'000'000)};

std::string record(const Evidence& evidence) {
  Incident incident;
  incident.began = kBegan;
  incident.first = evidence.drops.front().at;
  return to_string(record_of(incident, evidence));
}

Testimony from(std::string_view source, milliseconds after, std::string words) {
  Testimony testimony;
  testimony.source = source;
  testimony.at = kBegan + after;
  testimony.words = std::move(words);
  return testimony;
}

}  // namespace

TEST_CASE("what the log, the host and our own connections say comes in the order of time") {
  Evidence evidence = Given().roundtrip(fatal("57P02")).canary(closed()).held(2);
  evidence.drops[1].at += milliseconds(40);
  evidence.testimonies = {from("host", milliseconds(1500), "an OOM kill"),
                          from("server_log", milliseconds(-20), "a server process crashed")};
  CHECK(record(evidence) ==
        "22:13:19.980 server_log: a server process crashed; 22:13:20.000 server: roundtrip 57P02; "
        "22:13:20.040 socket: idle closed; 22:13:21.500 host: an OOM kill");
}

TEST_CASE("a pooler's own words are told apart from the server's") {
  Evidence evidence = Given().roundtrip(fatal("08P01", "client_idle_timeout")).held(1);
  CHECK(record(evidence) == "22:13:20.000 pooler: roundtrip pooler_close 08P01");
}

TEST_CASE("of a connection that went unanswered it is said what the peer's kernel did") {
  CHECK(record(Given().canary(unanswered()).held(1)) == "22:13:20.000 socket: idle no answer");
  CHECK(record(Given().canary(unanswered()).asked(3, true).held(1))
            .ends_with("no answer, though the peer's kernel has acknowledged the query"));
  CHECK(record(Given().canary(unanswered()).asked(3, false).held(1))
            .ends_with("no answer, and the peer's kernel has not acknowledged the query"));
}

TEST_CASE("a record of many pieces is cut, and says so") {
  Evidence evidence = Given().roundtrip(closed()).held(1);
  for (int i = 1; i <= 30; ++i)
    evidence.testimonies.push_back(from("server_log", milliseconds(i), "x"));
  CHECK(record(evidence).ends_with("22:13:20.019 server_log: x; and 11 more"));
}

}  // namespace pgconn::probes
