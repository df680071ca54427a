#include "probes/drops/refusals.h"

#include "tests/support/catch.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

Drop lost_from(const std::string& endpoint, const PgError& error = fatal("57P01")) {
  Drop drop{.probe = ProbeKind::kRoundtrip, .error = error, .at = kNoticed};
  drop.endpoint = endpoint;
  return drop;
}

PgError read_only() { return postgres::connect_error("session is read-only", Phase::kStartup); }

std::vector<Reason> reasons(const std::vector<PgError>& errors) {
  std::vector<Reason> all;
  for (const PgError& error : errors) all.push_back(error.reason());
  return all;
}

std::vector<Reason> told(const std::vector<postgres::EndpointError>& turned_away,
                         const std::optional<PgError>& failure) {
  std::vector<PgError> errors;
  add_refusals(turned_away, failure, {lost_from("10.0.0.1:5432")}, errors);
  return reasons(errors);
}

TEST_CASE("the refusal of the host that was lost counts, though another accepted us") {
  CHECK(told({{"10.0.0.1:5432", refused()}}, std::nullopt) == std::vector{Reason::kRefused});
  CHECK(told({{"10.0.0.1:5432", not_accepting("the database system is shutting down")}},
             std::nullopt) == std::vector{Reason::kStarting});
}

TEST_CASE("the refusal of a host that nothing was lost from says nothing") {
  CHECK(told({{"10.0.0.2:5432", refused()}}, std::nullopt).empty());
  CHECK(told({{"10.0.0.1:5433", refused()}}, std::nullopt).empty());
}

TEST_CASE("a host of the wrong kind has not refused") {
  CHECK(told({{"10.0.0.1:5432", read_only()}}, std::nullopt).empty());
}

TEST_CASE("where all turn us away, the first host's refusal counts beside the last one's message") {
  CHECK(told({{"10.0.0.1:5432", refused()}, {"10.0.0.2:5432", read_only()}}, read_only()) ==
        std::vector{Reason::kRefused, Reason::kServerError});
  CHECK(told({{"10.0.0.1:5432", refused()}}, refused()) == std::vector{Reason::kRefused});
  CHECK(told({{"10.0.0.1:5432", refused()}}, no_tcp_answer()) ==
        std::vector{Reason::kRefused, Reason::kTimeout});
  CHECK(told({}, no_tcp_answer()) == std::vector{Reason::kTimeout});
}

TEST_CASE("a planned failover is a shutdown, for the first host refuses while the second answers") {
  Evidence evidence =
      Given().roundtrip(fatal("57P01")).canary(fatal("57P01")).held(2).elsewhere(kStart - 900'000);
  CHECK(attribute(evidence).cause == Cause::kUnknown);
  for (Drop& drop : evidence.drops) drop.endpoint = "10.0.0.1:5432";
  add_refusals({{"10.0.0.1:5432", refused()}}, std::nullopt, evidence.drops,
               evidence.failed_reconnects);
  CHECK(attribute(evidence).cause == Cause::kServerShutdown);
  CHECK(attribute(evidence).scope == Scope::kAll);
}

TEST_CASE("a failover that waits for the promotion of the second host is a shutdown by then") {
  Evidence evidence = Given().roundtrip(fatal("57P01")).held(1);
  evidence.drops[0].endpoint = "10.0.0.1:5432";
  add_refusals({{"10.0.0.1:5432", refused()}, {"10.0.0.2:5432", read_only()}}, read_only(),
               evidence.drops, evidence.failed_reconnects);
  CHECK(attribute(evidence).cause == Cause::kServerShutdown);
}

TEST_CASE("a host that is always down does not make a shutdown of a terminated session elsewhere") {
  Evidence evidence = Given().roundtrip(fatal("57P01")).held(1).untouched();
  evidence.drops[0].endpoint = "10.0.0.2:5432";
  add_refusals({{"10.0.0.1:5432", refused()}}, std::nullopt, evidence.drops,
               evidence.failed_reconnects);
  CHECK(attribute(evidence).cause == Cause::kAdminTerminate);
}

TEST_CASE("only where all were reset may the path recover, and that is waited for") {
  CHECK(patience_after({lost_from("a", reset()), lost_from("a", reset())}) == kPatience);
  CHECK(patience_after({lost_from("a", reset()), lost_from("a", closed())}) == kSoon);
  CHECK(patience_after({lost_from("a", fatal("57P01"))}) == kSoon);
  CHECK(patience_after({lost_from("a", unanswered())}) == kSoon);
}

TEST_CASE("a server that refuses us for what we are is alive") {
  CHECK(is_refusal_of_living(rejected()));
  CHECK(is_refusal_of_living(no_database()));
  CHECK(is_refusal_of_living(PgError(Phase::kStartup, Reason::kRoleMissing, "28000", "", true)));
  CHECK_FALSE(is_refusal_of_living(refused()));
  CHECK_FALSE(is_refusal_of_living(not_accepting("the database system is starting up")));
  CHECK_FALSE(is_refusal_of_living(no_tcp_answer()));
}

}  // namespace
}  // namespace pgconn::probes
