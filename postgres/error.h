// The one error type of the PostgreSQL side. Values; any thread.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace pgconn::postgres {

// Where in the life of a connection something happened. The names are label values.
enum class Phase {
  kConfig,   // before anything was sent: connection string, password file
  kResolve,  // looking up the host name
  kTcp,      // connecting the socket
  kTls,      // SSLRequest and handshake
  kStartup,  // startup packet, authentication, until ReadyForQuery
  kQuery,    // waiting for the answer to a query
  kIdle,     // nothing asked
};

// Why it failed. The names are label values: few, stable, and distinguished by what the operator
// does next.
enum class Reason {
  kConfig,              // the connection string or password file is unusable
  kResolve,             // the name does not resolve
  kRefused,             // nothing listens
  kUnreachable,         // no route, network down
  kOpenFiles,           // no file descriptor is left for us, or for the whole machine
  kTimeout,             // our deadline passed (or the kernel's, or a keepalive's)
  kReset,               // connection reset by peer
  kClosed,              // closed without a message
  kTlsUnsupported,      // TLS is wanted, the server does not offer it
  kTlsVerify,           // the server's certificate was not accepted
  kTlsHostname,         // the certificate is for another host
  kTls,                 // any other failure of the handshake
  kPasswordMissing,     // the server wants a password and there is none
  kAuthentication,      // class 28: password, role, pg_hba.conf
  kRoleMissing,         // the role does not exist: never created, or dropped
  kPermission,          // 42501
  kDatabase,            // 3D000, 55000 while connecting: the database is missing or closed to us
  kTooManyConnections,  // 53300
  kStarting,            // 57P03: starting up, shutting down, in recovery
  kTerminated,          // 57P01, 57P02, 57P04, 57P05, 25P03, 25P04: the server ended the session
  kCanceled,            // 57014: statement_timeout or a cancel request; the session lives
  kLockTimeout,         // 55P03; the session lives
  kServerError,         // any other ERROR or FATAL of the server
  kUnsupportedVersion,  // a server that is too old, or whose version cannot be read
  kProtocol,            // the peer does not speak PostgreSQL's protocol
  kBudget,              // max_connections_per_target is used up; nothing was tried
  kStopped,             // we ended it ourselves
};

std::string_view to_string(Phase phase);
std::string_view to_string(Reason reason);

class PgError : public std::runtime_error {
 public:
  // `message` is for people; it must contain no secret. `fatal`: the connection is gone.
  PgError(Phase phase, Reason reason, std::string sqlstate, const std::string& message, bool fatal)
      : std::runtime_error(message),
        phase_(phase),
        reason_(reason),
        sqlstate_(std::move(sqlstate)),
        fatal_(fatal) {}

  Phase phase() const { return phase_; }
  Reason reason() const { return reason_; }
  // Five characters, or empty when the failure was seen by the client alone.
  const std::string& sqlstate() const { return sqlstate_; }
  bool fatal() const { return fatal_; }

 private:
  Phase phase_;
  Reason reason_;
  std::string sqlstate_;
  bool fatal_;
};

// Five digits and capital letters: nothing else that a peer sends may become a label value.
bool is_sqlstate(std::string_view text);

// The reason a SQLSTATE stands for. `connecting`: 55000 then means a closed database.
Reason reason_of_sqlstate(std::string_view sqlstate, bool connecting);

// The same for a refused login, where the message says more than the SQLSTATE: a pooler's own
// message, and the server's about a role that does not exist, which it gives where no proof of
// identity is asked for.
Reason reason_of_refusal(std::string_view sqlstate, std::string_view message);

// Reads what libpq says about a failed connection attempt (PQerrorMessage under PQERRORS_VERBOSE):
// the SQLSTATE if the server sent one, else the reason from libpq's own English text and the
// phase. Where several addresses failed, the last one counts. Pure.
PgError connect_error(std::string_view message, Phase phase);

// The same for a connection that was established and is lost. Pure.
PgError lost_error(std::string_view message, Phase phase);

// One line, without libpq's trailing newline and "connection to server …, failed:" repetition.
std::string one_line(std::string_view message);

// What to do about it, in a sentence, or empty.
std::string_view advice(Reason reason);
std::string_view advice(const PgError& error);  // also for a pooler's errors

}  // namespace pgconn::postgres
