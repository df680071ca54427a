#include "sources/server_log/classify.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "sources/server_log/classify_rules.h"
#include "sources/server_log/repeated_losses.h"
#include "tests/support/catch.h"

namespace pgconn::server_log {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Given {
  Severity severity;
  std::string_view sqlstate;
  std::string_view message;
  std::string_view detail = "";
  std::string_view user = "me";
  std::string_view backend_type = "";
};

Classified classified(const Given& given) {
  Entry entry;
  entry.severity = given.severity;
  entry.sqlstate = given.sqlstate;
  entry.message = given.message;
  entry.detail = given.detail;
  entry.user = given.user;
  entry.backend_type = given.backend_type;
  entry.pid = 42;
  return classify(entry);
}

std::string event(const Given& given) {
  const Classified result = classified(given);
  return result.event ? std::string(to_string(*result.event)) : "";
}

std::string refusal(const Given& given) {
  const Classified result = classified(given);
  return result.refusal ? std::string(to_string(*result.refusal)) : "";
}

constexpr Severity kLog = Severity::kLog;
constexpr Severity kError = Severity::kError;
constexpr Severity kFatal = Severity::kFatal;

TEST_CASE("what ends a session is told by its SQLSTATE and its text") {
  CHECK(event({kFatal, "57P01", "terminating connection due to administrator command"}) ==
        "admin_terminate");
  CHECK(event({kFatal, "25P03", "terminating connection due to idle-in-transaction timeout"}) ==
        "idle_in_transaction_timeout");
  CHECK(event({kFatal, "57P05", "terminating connection due to idle-session timeout"}) ==
        "idle_session_timeout");
  CHECK(event({kFatal, "25P04", "terminating connection due to transaction timeout"}) ==
        "transaction_timeout");
  CHECK(event({kLog, "08006", "could not receive data from client: Connection reset by peer"}) ==
        "connection_lost");
  CHECK(event({kLog, "08006", "unexpected EOF on client connection with an open transaction"}) ==
        "connection_lost");
  CHECK(event({kFatal, "08006", "connection to client lost"}) == "connection_lost");
}

TEST_CASE("recovery conflicts end sessions or statements, and are told apart from other 40001") {
  const std::string_view ended = "terminating connection due to conflict with recovery";
  CHECK(event({kFatal, "40001", ended}) == "recovery_conflict");
  CHECK(event({kFatal, "57P04", ended}) == "recovery_conflict");
  CHECK(event({kFatal, "40001", "Verbindung wird abgebrochen"}) == "recovery_conflict");
  const std::string_view canceled = "canceling statement due to conflict with recovery";
  CHECK(event({kError, "40001", canceled}) == "recovery_conflict_cancel");
  CHECK(event({kError, "40P01", canceled}) == "recovery_conflict_cancel");
  CHECK(event({kError, "40001", "could not serialize access"}) == "serialization_failure");
}

TEST_CASE("statements that end leave their session: each kind of 57014 and 55P03 is its own") {
  CHECK(event({kError, "57014", "canceling statement due to statement timeout"}) ==
        "statement_timeout");
  CHECK(event({kError, "57014", "canceling statement due to user request"}) == "query_cancel");
  CHECK(event({kFatal, "57014", "canceling authentication due to timeout"}) ==
        "authentication_timeout");
  CHECK(event({kError, "55P03", "canceling statement due to lock timeout"}) == "lock_timeout");
  CHECK(event({kError, "55P03", "could not obtain lock on row in relation \"t\""}) ==
        "lock_not_available");
  CHECK(event({kError, "40P01", "deadlock detected"}) == "deadlock");
}

TEST_CASE("in another language the SQLSTATE alone tells, and no more than it can") {
  CHECK(event({kFatal, "57P01", "beende Verbindung"}) == "admin_terminate");
  CHECK(event({kFatal, "57P01", "beende Prozess", "", ""}).empty());  // no session
  CHECK(event({kError, "57014", "storniere Anfrage"}) == "statement_canceled");
  CHECK(event({kError, "55P03", "storniere Anfrage"}) == "lock_not_available");
  CHECK(event({Severity::kUnknown, "57P05", "?"}) == "idle_session_timeout");
  CHECK(event({kLog, "00000", "Verbindung empfangen"}).empty());
  CHECK(event({kLog, "08006", "konnte Daten nicht empfangen"}) == "connection_lost");
  CHECK(refusal({kFatal, "28000", "Rolle existiert nicht"}) == "not_authorized");
  CHECK(refusal({kFatal, "53300", "zu viele"}) == "no_slot");
}

TEST_CASE("without %e English text tells") {
  CHECK(event({kFatal, "", "terminating connection due to administrator command"}) ==
        "admin_terminate");
  CHECK(event({kError, "", "deadlock detected"}) == "deadlock");
  CHECK(event({kFatal, "", "beende Verbindung"}).empty());
}

TEST_CASE("a text whose SQLSTATE says otherwise is not believed") {
  CHECK(event({kError, "P0001", "deadlock detected"}).empty());
  CHECK(event({kError, "57P01", "terminating connection due to administrator command"}).empty());
}

TEST_CASE("each refused login has its reason") {
  CHECK(refusal({kFatal, "28P01", "password authentication failed for user \"x\"",
                 "Connection matched file \"pg_hba.conf\" line 7"}) == "authentication");
  CHECK(refusal({kFatal, "28P01", "password authentication failed for user \"x\"",
                 "Role \"x\" does not exist.\nConnection matched"}) == "no_role");
  CHECK(refusal({kFatal, "28000", "no pg_hba.conf entry for host \"1.2.3.4\", user"}) ==
        "no_hba_entry");
  CHECK(refusal({kFatal, "28000", "pg_hba.conf rejects connection for host"}) == "hba_reject");
  CHECK(refusal({kFatal, "28000", "role \"x\" does not exist"}) == "no_role");
  CHECK(refusal({kFatal, "28000", "role \"x\" is not permitted to log in"}) == "role_cannot_login");
  CHECK(refusal({kFatal, "28000", "Peer authentication failed for user \"x\""}) ==
        "authentication");
  CHECK(refusal({kFatal, "3D000", "database \"x\" does not exist"}) == "no_database");
  CHECK(refusal({kFatal, "42501", "permission denied for database \"x\""}) == "no_privilege");
  CHECK(refusal({kFatal, "55000", "database \"x\" is not currently accepting connections"}) ==
        "database_not_accepting");
  CHECK(refusal({kFatal, "53300", "sorry, too many clients already"}) == "no_slot");
  CHECK(
      refusal(
          {kFatal, "53300",
           "number of requested standby connections exceeds \"max_wal_senders\" (currently 1)"}) ==
      "no_wal_sender");
  CHECK(refusal({kFatal, "53300", "too many connections for role \"x\""}) == "role_limit");
  CHECK(refusal({kFatal, "53300", "too many connections for database \"x\""}) == "database_limit");
  CHECK(refusal({kFatal, "57P03", "the database system is starting up"}) == "server_not_ready");
  CHECK(refusal({kLog, "08P01", "could not accept SSL connection: tlsv1 alert"}) == "tls");
  CHECK(refusal({kError, "42501", "permission denied for table x"}).empty());
}

TEST_CASE("what the server says of itself is not believed of a session that writes it") {
  const std::string_view fast = "received fast shutdown request";
  CHECK(event({kLog, "00000", fast, "", ""}) == "fast_shutdown");
  CHECK(event({kLog, "00000", fast, "", "", "postmaster"}) == "fast_shutdown");
  CHECK(event({kLog, "00000", fast, "", "me"}).empty());
  CHECK(event({kLog, "00000", fast, "", "", "client backend"}).empty());
}

TEST_CASE("who it was is told where the log says so") {
  const Classified crash = classified(
      {kLog, "00000", "server process (PID 4711) was terminated by signal 9: Killed", "", ""});
  CHECK(crash.event == Event::kBackendCrash);
  CHECK(crash.subject == 4711);
  CHECK(crash.signal == 9);
  const Classified wait = classified(
      {kLog, "00000", "process 12 still waiting for ShareLock on transaction 7 after 5 ms",
       "Process holding the lock: 34. Wait queue: 12."});
  CHECK(wait.event == Event::kLockWait);
  CHECK(wait.subject == 12);
  CHECK(wait.actor == 34);
  const Classified ended =
      classified({kFatal, "57P01", "terminating connection due to administrator command",
                  "Signal sent by PID 99, UID 0."});
  CHECK(ended.subject == 42);
  CHECK(ended.actor == 99);
}

TEST_CASE("a disconnection tells how long its session lasted") {
  const auto session = [](std::string_view text) {
    return classified({kLog, "00000", text}).session;
  };
  CHECK(session("disconnection: session time: 1:02:03.456 user=me database=db host=x") ==
        milliseconds(3723456));
  CHECK_FALSE(session("disconnection: session time: soon").has_value());
  CHECK_FALSE(session("disconnection: session time: 99999999999999:00:00.000").has_value());
}

TEST_CASE("a login tells its stages on PostgreSQL 18") {
  const auto login = classified({kLog, "00000",
                                 "connection ready: setup total=31.279 ms, fork=3.997 ms, "
                                 "authentication=9.921 ms"})
                         .login;
  REQUIRE(login.has_value());
  CHECK(login->stages[0] == microseconds(31279));
  CHECK(login->stages[1] == microseconds(3997));
  CHECK(login->stages[2] == microseconds(9921));
  CHECK_FALSE(classified({kLog, "00000", "connection ready: setup total=x"}).login.has_value());
}

TEST_CASE("processes that serve nobody lose nobody") {
  CHECK(event({kFatal, "57P01", "terminating background worker \"x\" due to administrator command",
               "", ""})
            .empty());
  CHECK(event({kError, "57014", "canceling autovacuum task", "", ""}).empty());
}

TEST_CASE("a client that vanished is one loss, however many entries say so") {
  RepeatedLosses losses;
  Entry entry;
  entry.severity = kLog;
  entry.sqlstate = "08006";
  entry.message = "could not receive data from client: Connection reset by peer";
  entry.pid = 42;
  const TimePoint now{std::chrono::hours(1)};
  const auto repeated = [&] { return losses.is_repeated(entry, classify(entry), now); };
  CHECK_FALSE(repeated());
  entry.message = "unexpected EOF on client connection with an open transaction";
  CHECK(repeated());
  entry.time = now + std::chrono::minutes(1);  // another process of that number
  CHECK_FALSE(repeated());
  entry.pid = 43;
  CHECK_FALSE(repeated());
  entry.pid = 0;  // who it was is not known
  CHECK_FALSE(repeated());
  CHECK_FALSE(repeated());
}

TEST_CASE("SQLSTATEs that are not PostgreSQL's are one label value") {
  CHECK(classified({kError, "ZZ999", "x"}).sqlstate == "other");
  CHECK(classified({kError, "22012", "x"}).sqlstate == "22012");
}

TEST_CASE("docs/server-log.md names every event and every refusal") {
  std::ifstream file(PGCONN_SOURCE_DIR "/docs/server-log.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto is_named = [&text](std::string_view name) {
    return text.find("`" + std::string(name) + "`") != std::string::npos;
  };
  for (std::size_t i = 0; i < kEvents; ++i) CHECK(is_named(to_string(static_cast<Event>(i))));
  for (std::size_t i = 0; i < kRefusals; ++i) CHECK(is_named(to_string(static_cast<Refusal>(i))));
}

TEST_CASE("every event, refusal and stage has a name of its own, and every event a rule") {
  std::set<std::string_view> names;
  std::set<Event> with_rule;
  for (std::size_t i = 0; i < kEvents; ++i) names.insert(to_string(static_cast<Event>(i)));
  CHECK(names.size() == kEvents);
  for (const Rule& rule : rules()) {
    if (rule.event) with_rule.insert(*rule.event);
  }
  CHECK(with_rule.size() == kEvents);
  names.clear();
  for (std::size_t i = 0; i < kRefusals; ++i) names.insert(to_string(static_cast<Refusal>(i)));
  CHECK(names.size() == kRefusals);
}

}  // namespace
}  // namespace pgconn::server_log
