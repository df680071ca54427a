// From what was seen to what is said: urgency, order, and words that can be acted on.
#include "exporter/diagnosis/diagnosis.h"

#include <nlohmann/json.hpp>

#include "exporter/diagnosis/readout.h"
#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

constexpr auto kUsed = metrics::gauge("pgconn_connection_slots_used", "x");
constexpr auto kSlots = metrics::gauge("pgconn_connection_slots", "x", {"kind"});
constexpr auto kBlocked = metrics::gauge("pgconn_blocked_by_idle_in_transaction", "x",
                                         {"database", "user", "application"});
constexpr auto kOldest =
    metrics::gauge("pgconn_session_state_oldest_seconds", "x",
                   {"database", "user", "application", "state"}, metrics::Unit::kSeconds);

Examination healthy() {
  Examination seen;
  seen.address = "db:5432";
  seen.database = "postgres";
  seen.once.facts.emplace();
  seen.once.facts->version = "17.2";
  seen.once.facts->in_recovery = false;
  seen.once.facts->role = "pgconn";
  return seen;
}

void use_slots(Examination& seen, double used, double usable) {
  seen.once.result.batch.add(kUsed, used);
  seen.once.result.batch.add(kSlots, usable, {"usable"});
}

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("A healthy server has no problems and status 0") {
  Examination seen = healthy();
  use_slots(seen, 10, 97);
  const Diagnosis diagnosis = diagnose(seen);
  CHECK(diagnosis.problems.empty());
  CHECK(diagnosis.server == "PostgreSQL 17.2, primary, as role pgconn");
  CHECK(diagnosis.seen == std::vector<std::string>{"10 of 97 connection slots are taken"});
  CHECK(exit_status(seen, diagnosis) == 0);
  CHECK(has(diagnosis_text(diagnosis, false), "0 critical, 0 warnings, 0 notices"));
}

TEST_CASE("Slots are a warning from 80 % and critical from 95 %") {
  const auto status = [](double used) {
    Examination seen = healthy();
    use_slots(seen, used, 100);
    return exit_status(seen, diagnose(seen));
  };
  CHECK(status(79) == 0);
  CHECK(status(80) == 1);
  CHECK(status(94) == 1);
  CHECK(status(95) == 2);
}

TEST_CASE("The most urgent problem comes first, with a fix for exactly its sessions") {
  Examination seen = healthy();
  seen.once.result.batch.add(kOldest, 400, {"shop", "o'hara", "job", "idle in transaction"});
  seen.once.result.batch.add(kBlocked, 3, {"shop", "o'hara", "job"});
  const Diagnosis diagnosis = diagnose(seen);
  REQUIRE(diagnosis.problems.size() == 2);
  CHECK(diagnosis.problems[0].urgency == Urgency::kCritical);
  CHECK(diagnosis.problems[0].what ==
        "3 sessions wait behind a session that is idle in a transaction: application \"job\" of "
        "role \"o'hara\" in database \"shop\".");
  CHECK(has(diagnosis.problems[0].fix, "usename = 'o''hara' AND datname = 'shop'"));
  CHECK(diagnosis.problems[1].urgency == Urgency::kWarning);
  CHECK(has(diagnosis.problems[1].what, "idle for 6 min"));
  CHECK(exit_status(seen, diagnosis) == 2);
}

TEST_CASE("A server that cannot be used is critical, with advice; a bad string is unknown") {
  Examination seen;
  seen.once.error.emplace(postgres::Phase::kTcp, postgres::Reason::kRefused, "",
                          "connection refused", true);
  const Diagnosis down = diagnose(seen);
  REQUIRE(down.problems.size() == 1);
  CHECK(down.problems[0].what == "The server cannot be used: connection refused");
  CHECK_FALSE(down.problems[0].fix.empty());
  CHECK(exit_status(seen, down) == 2);
  seen.once.error.emplace(postgres::Phase::kConfig, postgres::Reason::kConfig, "", "bad", true);
  CHECK(exit_status(seen, diagnose(seen)) == 3);
}

TEST_CASE("Certificates are judged by what is left of them") {
  const auto urgency = [](std::int64_t days) {
    Examination seen = healthy();
    seen.now = 1'000'000'000;
    seen.certificates.emplace();
    seen.certificates->not_after = seen.now + days * 86400;
    const Diagnosis diagnosis = diagnose(seen);
    return diagnosis.problems.empty() ? -1 : static_cast<int>(diagnosis.problems[0].urgency);
  };
  CHECK(urgency(22) == -1);
  CHECK(urgency(21) == static_cast<int>(Urgency::kWarning));
  CHECK(urgency(3) == static_cast<int>(Urgency::kCritical));
}

TEST_CASE("What was lost while watching is critical, and nothing lost is said") {
  Examination seen = healthy();
  seen.watched_seconds = 60;
  CHECK(diagnose(seen).seen == std::vector<std::string>{"no connection was lost in 60 s"});
  seen.losses = {{"admin_terminate", "one", "57P01", 1}};
  const Diagnosis diagnosis = diagnose(seen);
  CHECK(exit_status(seen, diagnosis) == 2);
  CHECK(has(diagnosis.problems[0].what,
            "1 connection was lost while watching: cause "
            "admin_terminate, scope one."));
}

TEST_CASE("What names hold is shown without controlling the terminal, and is valid JSON") {
  Examination seen = healthy();
  seen.once.result.batch.add(kBlocked, 1, {"shop", "x\x1b[31m\n", "\xE2\x80\xAE"});
  const Diagnosis diagnosis = diagnose(seen);
  const std::string text = diagnosis_text(diagnosis, false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(has(text, "x?[31m?"));
  CHECK(has(text, "\\u202e"));
  const auto json = nlohmann::json::parse(diagnosis_json(diagnosis));
  CHECK(json["problems"][0]["urgency"] == "critical");
  CHECK(has(diagnosis_text(diagnosis, true), "\x1b[1;31mCRITICAL"));
}

}  // namespace
}  // namespace pgconn::exporter
