#include "postgres/error.h"

#include <array>
#include <set>
#include <string>

#include "tests/support/catch.h"

namespace pgconn::postgres {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Said {
  Phase phase;  // in which libpq said it
  std::string message;
  Reason reason;
  std::string text;  // what a person reads
};

const std::string kTcp = "connection to server at \"db\" (10.0.0.1), port 5432 failed: ";
const std::string kSocket = "connection to server on socket \"/run/.s.PGSQL.5432\" failed: ";
const std::string kDead =
    "server closed the connection unexpectedly\n\tThis probably means the server terminated "
    "abnormally\n\tbefore or while processing the request.\n";
const std::string kDeadText =
    "server closed the connection unexpectedly; This probably means the server terminated "
    "abnormally before or while processing the request.";

TEST_CASE(
    "a failure seen by libpq alone has the reason of its text, the phase it was in, no SQLSTATE") {
  const std::array table = {
      Said{Phase::kTcp,
           kTcp + "Connection refused\n\tIs the server running on that host and accepting TCP/IP "
                  "connections?\n",
           Reason::kRefused,
           "Connection refused; Is the server running on that host and accepting TCP/IP "
           "connections?"},
      Said{Phase::kTcp, kSocket + "No such file or directory\n", Reason::kRefused,
           "No such file or directory"},
      Said{Phase::kTcp, kSocket + "Permission denied\n", Reason::kUnreachable, "Permission denied"},
      Said{Phase::kTcp, kTcp + "No route to host\n", Reason::kUnreachable, "No route to host"},
      Said{Phase::kTcp, kTcp + "Network is unreachable\n", Reason::kUnreachable,
           "Network is unreachable"},
      Said{Phase::kTcp, "could not create socket: Too many open files\n", Reason::kOpenFiles,
           "could not create socket: Too many open files"},
      Said{Phase::kConfig,
           "could not open certificate file \"a.crt\": Too many open files in system\n",
           Reason::kOpenFiles,
           "could not open certificate file \"a.crt\": Too many open files in system"},
      Said{Phase::kTcp, kTcp + "Cannot assign requested address\n", Reason::kUnreachable,
           "Cannot assign requested address"},
      Said{Phase::kTcp, kTcp + "Connection timed out\n", Reason::kTimeout, "Connection timed out"},
      Said{Phase::kTls, kTcp + "server does not support SSL, but SSL was required\n",
           Reason::kTlsUnsupported, "server does not support SSL, but SSL was required"},
      Said{Phase::kTls, kTcp + "SSL error: certificate verify failed\n", Reason::kTlsVerify,
           "SSL error: certificate verify failed"},
      Said{Phase::kTls,
           kTcp + "server certificate for \"db.example\" does not match host name \"db\"\n",
           Reason::kTlsHostname,
           "server certificate for \"db.example\" does not match host name \"db\""},
      Said{Phase::kTls,
           kTcp +
               "server certificate for \"a\" (and 2 other names) does not match host name \"db\"\n",
           Reason::kTlsHostname,
           "server certificate for \"a\" (and 2 other names) does not match host name \"db\""},
      Said{Phase::kTls, kTcp + "SSL error: tlsv1 alert protocol version\n", Reason::kTls,
           "SSL error: tlsv1 alert protocol version"},
      Said{Phase::kTls, kTcp + "could not set minimum SSL protocol version\n", Reason::kTls,
           "could not set minimum SSL protocol version"},
      Said{Phase::kTls,
           kTcp + "root certificate file \"/ca.crt\" does not exist\nEither provide the file or "
                  "change sslmode to disable server certificate verification.\n",
           Reason::kConfig,
           "root certificate file \"/ca.crt\" does not exist; Either provide the file or change "
           "sslmode to disable server certificate verification."},
      Said{Phase::kTls,
           kTcp + "could not read root certificate file \"/ca.crt\": Permission denied\n",
           Reason::kConfig, "could not read root certificate file \"/ca.crt\": Permission denied"},
      Said{Phase::kTls,
           kTcp + "could not open certificate file \"/c.crt\": No such file or directory\n",
           Reason::kConfig,
           "could not open certificate file \"/c.crt\": No such file or directory"},
      Said{Phase::kTls, kTcp + "could not load private key file \"/c.key\": bad decrypt\n",
           Reason::kConfig, "could not load private key file \"/c.key\": bad decrypt"},
      Said{Phase::kTls, kTcp + "received invalid response to SSL negotiation: H\n",
           Reason::kProtocol, "received invalid response to SSL negotiation: H"},
      Said{Phase::kTls, kTcp + "server sent an error response during SSL exchange\n",
           Reason::kServerError, "server sent an error response during SSL exchange"},
      Said{Phase::kTls, kTcp + kDead, Reason::kClosed, kDeadText},
      Said{Phase::kStartup, kTcp + "expected authentication request from server, but received H\n",
           Reason::kProtocol, "expected authentication request from server, but received H"},
      Said{Phase::kStartup, kTcp + "received invalid authentication request\n", Reason::kProtocol,
           "received invalid authentication request"},
      Said{Phase::kStartup, kTcp + "fe_sendauth: no password supplied\n", Reason::kPasswordMissing,
           "fe_sendauth: no password supplied"},
      Said{Phase::kStartup, kTcp + "authentication method 13 not supported\n",
           Reason::kAuthentication, "authentication method 13 not supported"},
      Said{Phase::kStartup, kTcp + "channel binding required, but SSL not in use\n",
           Reason::kAuthentication, "channel binding required, but SSL not in use"},
      Said{Phase::kStartup, kTcp + "session is read-only\n", Reason::kServerError,
           "session is read-only"},
      Said{Phase::kStartup, kTcp + "server is in hot standby mode\n", Reason::kServerError,
           "server is in hot standby mode"},
      Said{Phase::kStartup, kTcp + "could not receive data from server: Connection reset by peer\n",
           Reason::kReset, "could not receive data from server: Connection reset by peer"},
      Said{Phase::kStartup, "something that libpq will say one day\n", Reason::kProtocol,
           "something that libpq will say one day"},
  };
  for (const Said& said : table) {
    CAPTURE(said.message);
    const PgError error = connect_error(said.message, said.phase);
    CHECK(error.phase() == said.phase);
    CHECK(to_string(error.reason()) == to_string(said.reason));
    CHECK(error.sqlstate().empty());
    CHECK(error.what() == said.text);
    CHECK(error.fatal());
  }
}

TEST_CASE("a refusal that the server sent has its SQLSTATE and belongs to the startup phase") {
  const PgError error = connect_error(kTcp +
                                          "FATAL:  28P01: password authentication failed for user "
                                          "\"x\"\nLOCATION:  auth_failed, auth.c:329\n",
                                      Phase::kTls);
  CHECK(error.phase() == Phase::kStartup);
  CHECK(error.reason() == Reason::kAuthentication);
  CHECK(error.sqlstate() == "28P01");
  CHECK(error.what() == std::string("FATAL: password authentication failed for user \"x\""));
}

TEST_CASE("the severity may be in any language and any encoding") {
  const PgError german = connect_error(
      kTcp + "VERHÄNGNISVOLL:  53300: Verbindungslimit für Rolle überschritten\n", Phase::kStartup);
  CHECK(german.sqlstate() == "53300");
  CHECK(german.what() == std::string("VERHÄNGNISVOLL: Verbindungslimit für Rolle überschritten"));
  // Before the session's encoding is agreed upon, the server writes in its own.
  const PgError latin1 = connect_error(
      kTcp + "FATAL:  28P01: Passwort-Authentifizierung f\xFCr Benutzer\n", Phase::kStartup);
  CHECK(latin1.sqlstate() == "28P01");
  CHECK(latin1.what() == std::string("FATAL: Passwort-Authentifizierung f\xEF\xBF\xBDr Benutzer"));
}

TEST_CASE("what a client chose cannot pass for a SQLSTATE") {
  const PgError error = connect_error(
      kTcp + "FATAL:  3D000: database \"x:  28P01: y\" does not exist\n", Phase::kStartup);
  CHECK(error.sqlstate() == "3D000");
  CHECK(error.what() == std::string("FATAL: database \"x:  28P01: y\" does not exist"));
}

TEST_CASE("details and hints of the server are kept, its source lines are not") {
  CHECK(one_line(kTcp +
                 "FATAL:  42501: permission denied for database \"x\"\nDETAIL:  User does not have "
                 "CONNECT privilege.\nLOCATION:  CheckMyDatabase, postinit.c:378\n") ==
        "FATAL: permission denied for database \"x\"; DETAIL:  User does not have CONNECT "
        "privilege.");
}

TEST_CASE("of several addresses that failed the last one counts") {
  const std::string refused =
      "connection to server at \"localhost\" (::1), port 5432 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n";
  const PgError login = connect_error(
      refused +
          "connection to server at \"localhost\" (127.0.0.1), port 5432 failed: FATAL:  3D000: "
          "database \"nope\" does not exist\n",
      Phase::kStartup);
  CHECK(login.sqlstate() == "3D000");
  CHECK(login.what() == std::string("FATAL: database \"nope\" does not exist"));

  const PgError unreachable = connect_error(
      refused +
          "connection to server at \"localhost\" (127.0.0.1), port 5432 failed: No route to host\n",
      Phase::kTcp);
  CHECK(unreachable.reason() == Reason::kUnreachable);
  CHECK(unreachable.what() == std::string("No route to host"));
}

TEST_CASE("an attempt begins a line; a name in the middle of a message begins none") {
  const PgError error = connect_error(
      kTcp + "FATAL:  28000: role \"connection to server \" is not permitted to log in\n",
      Phase::kStartup);
  CHECK(error.sqlstate() == "28000");
  CHECK(error.what() ==
        std::string("FATAL: role \"connection to server \" is not permitted to log in"));
}

TEST_CASE("one event, however libpq words it: the other side closed") {
  const std::array<std::string, 4> table = {kDead, "SSL connection has been closed unexpectedly\n",
                                            "SSL SYSCALL error: EOF detected\n",
                                            "SSL error: unexpected eof while reading\n"};
  for (const std::string& message : table) {
    CAPTURE(message);
    const PgError error = lost_error(message, Phase::kIdle);
    CHECK(to_string(error.reason()) == "closed");
    CHECK(error.phase() == Phase::kIdle);
    CHECK(error.fatal());
  }
}

TEST_CASE("the error of a lost connection distinguishes a reset, a dead peer and garbage") {
  CHECK(lost_error("could not receive data from server: Connection reset by peer\n", Phase::kQuery)
            .reason() == Reason::kReset);
  CHECK(lost_error("SSL SYSCALL error: Connection reset by peer\n", Phase::kQuery).reason() ==
        Reason::kReset);
  CHECK(lost_error("could not send data to server: Broken pipe\n", Phase::kQuery).reason() ==
        Reason::kReset);
  CHECK(lost_error("could not receive data from server: Connection timed out\n", Phase::kIdle)
            .reason() == Reason::kTimeout);
  CHECK(lost_error("SSL SYSCALL error: Connection timed out\n", Phase::kIdle).reason() ==
        Reason::kTimeout);
  CHECK(lost_error("lost synchronization with server: got message type \"H\", length 1\n",
                   Phase::kQuery)
            .reason() == Reason::kProtocol);
  CHECK(lost_error("SSL error: decryption failed or bad record mac\n", Phase::kQuery).reason() ==
        Reason::kTls);
}

TEST_CASE("a loss without a message is a close that says so") {
  const PgError error = lost_error("", Phase::kQuery);
  CHECK(error.reason() == Reason::kClosed);
  CHECK(error.what() == std::string("the server closed the connection"));
}

TEST_CASE("a message of any length is cut at a whole character") {
  std::string message = "FATAL:  XX000: ";
  for (int i = 0; i < 10000; ++i) message += "ü";
  const std::string text = one_line(message);
  CHECK(text.size() < 610);
  CHECK(text.substr(text.size() - 5) == "ü…");
  CHECK(text.substr(0, 9) == "FATAL: ü");
}

TEST_CASE("binary data in a message becomes text that every log and page can show") {
  const std::string text =
      one_line("a\x1B[31m\rb\x01\x7F \xC0\xAF \xED\xA0\x80 \xFF \xF4\x90\x80\x80 \xE2\x82");
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    CHECK(byte >= 0x20);
    CHECK(byte != 0x7F);
  }
  const std::string r = "\xEF\xBF\xBD";
  CHECK(text ==
        "a [31m b   " + r + r + " " + r + r + r + " " + r + " " + r + r + r + r + " " + r + r);
}

TEST_CASE("valid UTF-8 of every length stays as it is") {
  const std::string text = "a é € 😀 \xEE\x80\x80 \xED\x9F\xBF \xF4\x8F\xBF\xBF";
  CHECK(one_line(text) == text);
}

TEST_CASE("nothing but blanks and source lines is no message") {
  CHECK(one_line("").empty());
  CHECK(one_line("\n \t\r\n\n").empty());
  CHECK(one_line("LOCATION:  here, there.c:1\n").empty());
}

TEST_CASE(
    "a login error says that the role does not exist, and names nothing else that is missing") {
  CHECK(reason_of_refusal("28000", "FATAL:  28000: role \"monitor\" does not exist") ==
        Reason::kRoleMissing);
  CHECK(reason_of_refusal("28000", "FATAL:  28000: role \"monitor\" is not permitted to log in") ==
        Reason::kAuthentication);
  CHECK(reason_of_refusal("28000", "FATAL:  28000: no pg_hba.conf entry for host \"::1\"") ==
        Reason::kAuthentication);
  CHECK(reason_of_refusal("3D000", "FATAL:  3D000: database \"role \"x\" does not exist") ==
        Reason::kDatabase);
}

TEST_CASE("a SQLSTATE stands for what the operator does next") {
  const std::array<std::pair<const char*, Reason>, 20> table = {{
      {"28000", Reason::kAuthentication},
      {"28P01", Reason::kAuthentication},
      {"42501", Reason::kPermission},
      {"3D000", Reason::kDatabase},
      {"53300", Reason::kTooManyConnections},
      {"57P01", Reason::kTerminated},
      {"57P02", Reason::kTerminated},
      {"57P03", Reason::kStarting},
      {"57P04", Reason::kTerminated},
      {"57P05", Reason::kTerminated},
      {"25P03", Reason::kTerminated},
      {"25P04", Reason::kTerminated},
      {"57014", Reason::kCanceled},
      {"55P03", Reason::kLockTimeout},
      {"42P01", Reason::kServerError},
      {"53200", Reason::kServerError},
      {"08P01", Reason::kServerError},  // a peer that sends a SQLSTATE speaks the protocol
                                        // (PgBouncer does)
      {"XX000", Reason::kServerError},
      {"", Reason::kServerError},
      {"55000", Reason::kServerError},
  }};
  for (const auto& [sqlstate, reason] : table) {
    CAPTURE(sqlstate);
    CHECK(to_string(reason_of_sqlstate(sqlstate, false)) == to_string(reason));
  }
  CHECK(reason_of_sqlstate("55000", true) == Reason::kDatabase);
}

TEST_CASE("every phase and reason has a name of its own, suitable for a label") {
  std::set<std::string> phases, reasons;
  for (int i = 0; i <= static_cast<int>(Phase::kIdle); ++i) {
    phases.emplace(to_string(static_cast<Phase>(i)));
  }
  for (int i = 0; i <= static_cast<int>(Reason::kStopped); ++i) {
    reasons.emplace(to_string(static_cast<Reason>(i)));
  }
  CHECK(phases.size() == static_cast<std::size_t>(Phase::kIdle) + 1);
  CHECK(reasons.size() == static_cast<std::size_t>(Reason::kStopped) + 1);
  for (const auto& names : {phases, reasons}) {
    CHECK(names.count("unknown") == 0);
    for (const std::string& name : names) {
      CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    }
  }
}

TEST_CASE("an error that an operator can fix comes with advice") {
  CHECK(contains(advice(Reason::kRefused), "listen_addresses"));
  CHECK(contains(advice(Reason::kAuthentication), "pg_hba.conf"));
  CHECK(contains(advice(Reason::kTlsVerify), "sslrootcert"));
  CHECK(advice(Reason::kStopped).empty());
}

TEST_CASE("a refusal by a pooler has its reason and its advice") {
  const auto refused = [](const std::string& text) {
    return connect_error(
        "connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: " + text + "\n",
        Phase::kStartup);
  };
  CHECK(refused("unsupported startup parameter: options").reason() == Reason::kConfig);
  CHECK(contains(advice(refused("unsupported startup parameter: options")), "`options`"));
  CHECK(refused("no more connections allowed (max_client_conn)").reason() ==
        Reason::kTooManyConnections);
  CHECK(contains(advice(refused("client connections exceeded (max_db_client_connections)")),
                 "max_client_conn"));
  CHECK(refused("pgbouncer cannot connect to server").reason() == Reason::kServerError);
  CHECK(contains(advice(refused("pgbouncer cannot connect to server")), "pooler"));
  CHECK(advice(connect_error("Connection refused", Phase::kTcp)) == advice(Reason::kRefused));
}

}  // namespace
}  // namespace pgconn::postgres
