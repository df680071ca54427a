#include "postgres/error.h"

#include <array>
#include <cctype>
#include <utility>

namespace pgconn::postgres {
namespace {

struct TextReason {
  std::string_view text;
  Reason reason;
};

// libpq's own messages are English: nothing in this program sets a locale. Most specific first.
constexpr std::array kTextReasons = {
    TextReason{"could not translate host name", Reason::kResolve},
    TextReason{"Connection refused", Reason::kRefused},
    TextReason{"No such file or directory", Reason::kRefused},  // a Unix socket that is not there
    TextReason{"No route to host", Reason::kUnreachable},
    TextReason{"Network is unreachable", Reason::kUnreachable},
    TextReason{"Host is down", Reason::kUnreachable},
    TextReason{"Permission denied", Reason::kUnreachable},
    TextReason{"Connection timed out", Reason::kTimeout},
    TextReason{"timeout expired", Reason::kTimeout},
    TextReason{"Connection reset by peer", Reason::kReset},
    TextReason{"Broken pipe", Reason::kReset},
    TextReason{"server does not support SSL", Reason::kTlsUnsupported},
    TextReason{"does not match host name", Reason::kTlsHostname},
    TextReason{"certificate verify failed", Reason::kTlsVerify},
    TextReason{"certificate file", Reason::kConfig},
    TextReason{"private key", Reason::kConfig},
    TextReason{"no password supplied", Reason::kPasswordMissing},
    TextReason{"authentication", Reason::kAuthentication},
    TextReason{"received invalid response to SSL negotiation", Reason::kProtocol},
    TextReason{"expected authentication request", Reason::kProtocol},
    TextReason{"lost synchronization with server", Reason::kProtocol},
    TextReason{"server closed the connection unexpectedly", Reason::kClosed},
    TextReason{"SSL connection has been closed unexpectedly", Reason::kClosed},
    TextReason{"EOF detected", Reason::kClosed},
    TextReason{"SSL error", Reason::kTls},
    TextReason{"SSL SYSCALL error", Reason::kTls},
};

Reason fallback(Phase phase) {
  switch (phase) {
    case Phase::kConfig:
      return Reason::kConfig;
    case Phase::kResolve:
      return Reason::kResolve;
    case Phase::kTcp:
      return Reason::kUnreachable;
    case Phase::kTls:
      return Reason::kTls;
    default:
      return Reason::kProtocol;
  }
}

Reason reason_of_text(std::string_view text, Phase phase) {
  for (const TextReason& entry : kTextReasons) {
    if (text.find(entry.text) != std::string_view::npos) return entry.reason;
  }
  return fallback(phase);
}

bool is_sqlstate(std::string_view text) {
  if (text.size() != 5) return false;
  for (char c : text) {
    if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z')) return false;
  }
  return true;
}

// Under PQERRORS_VERBOSE a server's error reads "SEVERITY:  28P01: message"; the severity may be
// in any language, so the two blanks and the five characters are what to look for.
std::size_t find_sqlstate(std::string_view text) {
  std::size_t position = text.rfind(":  ");
  while (position != std::string_view::npos) {
    if (is_sqlstate(text.substr(position + 3, 5)) && text.substr(position + 8, 2) == ": ") {
      return position + 3;
    }
    if (position == 0) break;
    position = text.rfind(":  ", position - 1);
  }
  return std::string_view::npos;
}

// What libpq says of the last address it tried.
std::string_view last_attempt(std::string_view message) {
  const std::size_t start = message.rfind("connection to server ");
  return start == std::string_view::npos ? message : message.substr(start);
}

constexpr std::size_t kMaxMessage = 600;  // a server may send any length

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
    case Reason::kProtocol:
      return "protocol";
    case Reason::kStopped:
      return "stopped";
  }
  return "unknown";
}

Reason reason_of_sqlstate(std::string_view sqlstate, bool connecting) {
  if (sqlstate.starts_with("28")) return Reason::kAuthentication;
  if (sqlstate == "42501") return Reason::kPermission;
  if (sqlstate == "3D000" || (connecting && sqlstate == "55000")) return Reason::kDatabase;
  if (sqlstate == "53300") return Reason::kTooManyConnections;
  if (sqlstate == "57P03") return Reason::kStarting;
  if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P05" || sqlstate == "25P03" ||
      sqlstate == "25P04") {
    return Reason::kTerminated;
  }
  if (sqlstate == "57014") return Reason::kCanceled;
  if (sqlstate == "55P03") return Reason::kLockTimeout;
  if (sqlstate == "08P01") return Reason::kProtocol;
  return Reason::kServerError;
}

PgError connect_error(std::string_view message, Phase phase) {
  const std::string_view attempt = last_attempt(message);
  const std::size_t found = find_sqlstate(attempt);
  if (found != std::string_view::npos) {
    std::string sqlstate(attempt.substr(found, 5));
    const Reason reason = reason_of_sqlstate(sqlstate, true);
    // The server answers a refusal of its own in the startup phase, whatever was being waited for.
    return PgError(Phase::kStartup, reason, std::move(sqlstate), one_line(message), true);
  }
  return PgError(phase, reason_of_text(attempt, phase), "", one_line(message), true);
}

PgError lost_error(std::string_view message, Phase phase) {
  const Reason reason = message.empty() ? Reason::kClosed : reason_of_text(message, Phase::kQuery);
  return PgError(phase, reason, "",
                 message.empty() ? "the server closed the connection" : one_line(message), true);
}

std::string one_line(std::string_view message) {
  std::string_view rest = last_attempt(message);
  if (rest.starts_with("connection to server ")) {
    const std::size_t failed = rest.find(" failed: ");
    if (failed != std::string_view::npos) rest.remove_prefix(failed + 9);
  }
  std::string text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front()))) {
      line.remove_prefix(1);
    }
    if (line.empty() || line.starts_with("LOCATION:")) continue;
    if (!text.empty()) text += ' ';
    text += line;
  }
  const std::size_t sqlstate = find_sqlstate(text);
  if (sqlstate != std::string::npos) text.erase(sqlstate - 1, 7);  // " 28P01:"
  if (text.size() > kMaxMessage) text = text.substr(0, kMaxMessage) + "…";
  return text;
}

std::string_view advice(Reason reason) {
  switch (reason) {
    case Reason::kResolve:
      return "check the host name in the dsn and the resolver of this machine";
    case Reason::kRefused:
      return "check that PostgreSQL runs and listens on that address and port (listen_addresses)";
    case Reason::kUnreachable:
      return "check the route, firewall and, for a Unix socket, its permissions";
    case Reason::kTimeout:
      return "check network, firewall and load of the server, or raise the timeout";
    case Reason::kTlsUnsupported:
      return "turn ssl on in the server, or say sslmode=disable in the dsn if plain text is meant";
    case Reason::kTlsVerify:
      return "check sslrootcert in the dsn and the expiry of the server's certificate";
    case Reason::kTlsHostname:
      return "connect by a name the server's certificate holds, or issue one that holds this name";
    case Reason::kPasswordMissing:
      return "set password_file, password_env or a passfile entry for this target";
    case Reason::kAuthentication:
      return "check role, password and pg_hba.conf";
    case Reason::kPermission:
      return "grant the role CONNECT on the database and membership of pg_monitor";
    case Reason::kDatabase:
      return "check dbname in the dsn";
    case Reason::kTooManyConnections:
      return "free slots, or reserve some for monitoring (reserved_connections, PostgreSQL 16+)";
    case Reason::kProtocol:
      return "check that the port is PostgreSQL's";
    default:
      return "";
  }
}

}  // namespace pgconn::postgres
