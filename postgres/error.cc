#include "postgres/error.h"

#include "postgres/reason_name.h"

namespace pgconn::postgres {
namespace {

// A protocol violation. PgBouncer uses it for almost all messages of its own.
constexpr std::string_view kPoolerSqlstate = "08P01";

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::kConfig:
      return "config";
    case Phase::kResolve:
      return "resolve";
    case Phase::kTcp:
      return "tcp";
    case Phase::kTls:
      return "tls";
    case Phase::kStartup:
      return "startup";
    case Phase::kQuery:
      return "query";
    case Phase::kIdle:
      return "idle";
  }
  return "unknown";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::kConfig:
      return "config";
    case Reason::kResolve:
      return "resolve";
    case Reason::kRefused:
      return "refused";
    case Reason::kUnreachable:
      return "unreachable";
    case Reason::kOpenFiles:
      return "open_files";
    case Reason::kTimeout:
      return "timeout";
    case Reason::kReset:
      return "reset";
    case Reason::kClosed:
      return "closed";
    case Reason::kTlsUnsupported:
      return "tls_unsupported";
    case Reason::kTlsVerify:
      return "tls_verify";
    case Reason::kTlsHostname:
      return "tls_hostname";
    case Reason::kTls:
      return "tls";
    case Reason::kPasswordMissing:
      return "password_missing";
    case Reason::kAuthentication:
      return "authentication";
    case Reason::kRoleMissing:
      return "role_missing";
    case Reason::kPermission:
      return "permission";
    case Reason::kDatabase:
      return "database";
    case Reason::kTooManyConnections:
      return "too_many_connections";
    case Reason::kStarting:
      return "starting";
    case Reason::kTerminated:
      return "terminated";
    case Reason::kCanceled:
      return "canceled";
    case Reason::kLockTimeout:
      return "lock_timeout";
    case Reason::kServerError:
      return "server_error";
    case Reason::kUnsupportedVersion:
      return "unsupported_version";
    case Reason::kProtocol:
      return "protocol";
    case Reason::kBudget:
      return "budget";
    case Reason::kStopped:
      return "stopped";
  }
  return "unknown";
}

Reason reason_of_refusal(std::string_view sqlstate, std::string_view message) {
  const auto says = [message](std::string_view text) { return message.find(text) != message.npos; };
  if (sqlstate == kPoolerSqlstate && says("unsupported startup parameter")) return Reason::kConfig;
  if (sqlstate == kPoolerSqlstate &&
      (says("no more connections allowed") || says("client connections exceeded"))) {
    return Reason::kTooManyConnections;
  }
  if (sqlstate == "28000" && says("role \"") && says("\" does not exist")) {
    return Reason::kRoleMissing;
  }
  return reason_of_sqlstate(sqlstate, true);
}

Reason reason_of_sqlstate(std::string_view sqlstate, bool connecting) {
  if (sqlstate.starts_with("28")) return Reason::kAuthentication;
  if (sqlstate == "42501") return Reason::kPermission;
  if (sqlstate == "3D000" || (connecting && sqlstate == "55000")) return Reason::kDatabase;
  if (sqlstate == "53300") return Reason::kTooManyConnections;
  if (sqlstate == "57P03") return Reason::kStarting;
  if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P04" || sqlstate == "57P05" ||
      sqlstate == "25P03" || sqlstate == "25P04") {
    return Reason::kTerminated;
  }
  if (sqlstate == "57014") return Reason::kCanceled;
  if (sqlstate == "55P03") return Reason::kLockTimeout;
  return Reason::kServerError;
}

std::string_view advice(Reason reason) {
  switch (reason) {
    case Reason::kResolve:
      return "check the host name in the dsn and the resolver of this machine";
    case Reason::kRefused:
      return "check that PostgreSQL runs and listens on that address and port (listen_addresses)";
    case Reason::kUnreachable:
      return "check the route, firewall and, for a Unix socket, its permissions";
    case Reason::kOpenFiles:
      return "raise the exporter's limit of open files (LimitNOFILE=, ulimit -n), or watch fewer "
             "targets";
    case Reason::kTimeout:
      return "check network, firewall and load of the server, or raise the timeout";
    case Reason::kTlsUnsupported:
      return "turn ssl on in the server, or set sslmode=disable in the dsn if plain text is "
             "intended";
    case Reason::kTlsVerify:
      return "check sslrootcert in the dsn and the expiry of the server's certificate";
    case Reason::kTlsHostname:
      return "connect by a name that is in the server's certificate, or issue one with this name";
    case Reason::kPasswordMissing:
      return "set password_file, password_env or a passfile entry for this target";
    case Reason::kAuthentication:
      return "check role, password and pg_hba.conf";
    case Reason::kRoleMissing:
      return "create the role again, or check user in the dsn";
    case Reason::kPermission:
      return "grant the role CONNECT on the database and membership of pg_monitor";
    case Reason::kDatabase:
      return "check dbname in the dsn";
    case Reason::kTooManyConnections:
      return "free slots, or reserve some for monitoring (reserved_connections, PostgreSQL 16+)";
    case Reason::kUnsupportedVersion:
      return "upgrade the server; PostgreSQL 13 is the oldest that can be watched";
    case Reason::kProtocol:
      return "check that the port is PostgreSQL's";
    case Reason::kConfig:
      return "fix what is named here: dsn, password file, variable or certificate file";
    case Reason::kTls:
      return "compare TLS versions and client certificates of both sides; see the server's log";
    case Reason::kReset:
    case Reason::kClosed:
      return "see the server's log, and what lies in between: pooler, balancer, firewall";
    case Reason::kStarting:
      return "wait until the server is up; its log says why it was not";
    case Reason::kTerminated:
      return "see the server's log: restart, crash, administrator or timeout";
    case Reason::kCanceled:
      return "find what slows the server down, or raise statement_timeout";
    case Reason::kLockTimeout:
      return "find who locks the catalog (pg_locks)";
    case Reason::kServerError:
      return "see the server's log for the whole message";
    case Reason::kBudget:
      return "raise max_connections_per_target";
    case Reason::kStopped:
      return "";
  }
  return "";
}

std::string_view advice(const PgError& error) {
  const std::string_view name = reason_name(error);
  if (name == "role_limit") {
    return "raise the CONNECTION LIMIT of the exporter's role: each exporter may take "
           "max_connections_per_target";
  }
  if (name == "database_limit") {
    return "raise the database's CONNECTION LIMIT, or name another database in the dsn";
  }
  if (error.sqlstate() != kPoolerSqlstate) return advice(error.reason());
  switch (error.reason()) {
    case Reason::kConfig:
      return "the pooler does not accept this parameter: leave `options` out of the dsn and "
             "PGOPTIONS, or "
             "connect to the server itself";
    case Reason::kTooManyConnections:
      return "raise the pooler's limit on clients (max_client_conn), or free some";
    default:
      return "see the log of the server, or of the pooler in front of it";
  }
}

}  // namespace pgconn::postgres
