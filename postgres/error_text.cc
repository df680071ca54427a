// Reads errors from libpq's text, where it offers nothing better.
#include <algorithm>
#include <array>
#include <utility>

#include "postgres/error.h"
#include "text/ascii.h"
#include "text/utf8.h"

namespace pgconn::postgres {
namespace {

struct TextReason {
  std::string_view text;
  Reason reason;
};

// libpq's own messages are English: nothing in this program sets a locale. Most specific first:
// a message that names a file of ours goes on with the system's reason ("Permission denied"), which
// would read like the network's.
constexpr std::array kTextReasons = {
    // Our limit or the machine's ("… in system"), whatever needed one more.
    TextReason{"Too many open files", Reason::kOpenFiles},
    TextReason{"certificate file", Reason::kConfig},
    TextReason{"private key", Reason::kConfig},
    TextReason{"invalid port number", Reason::kConfig},
    TextReason{"could not translate host name", Reason::kResolve},
    TextReason{"Connection refused", Reason::kRefused},
    TextReason{"No such file or directory", Reason::kRefused},  // a Unix socket that does not exist
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
    TextReason{"received invalid response to SSL negotiation", Reason::kProtocol},
    TextReason{"expected authentication request", Reason::kProtocol},
    TextReason{"invalid authentication request", Reason::kProtocol},
    TextReason{"lost synchronization with server", Reason::kProtocol},
    // The postmaster refuses before TLS when it cannot start a process for us.
    TextReason{"server sent an error response during SSL exchange", Reason::kServerError},
    TextReason{"no password supplied", Reason::kPasswordMissing},
    TextReason{"authentication", Reason::kAuthentication},
    TextReason{"channel binding", Reason::kAuthentication},
    // target_session_attrs found a server of the other kind.
    TextReason{"session is ", Reason::kServerError},
    TextReason{"hot standby mode", Reason::kServerError},
    TextReason{"server closed the connection unexpectedly", Reason::kClosed},
    TextReason{"SSL connection has been closed unexpectedly", Reason::kClosed},
    TextReason{"EOF detected", Reason::kClosed},
    TextReason{"unexpected eof while reading", Reason::kClosed},
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

// Under PQERRORS_VERBOSE a server's error reads "SEVERITY:  28P01: message"; the severity may be
// in any language, so look for the two blanks and the five characters. The first match counts: the
// rest of the message may contain what a client chose, for example a database's name.
std::size_t find_sqlstate(std::string_view text) {
  std::size_t position = text.find(":  ");
  while (position != std::string_view::npos) {
    if (is_sqlstate(text.substr(position + 3, 5)) && text.substr(position + 8, 2) == ": ") {
      return position + 3;
    }
    position = text.find(":  ", position + 1);
  }
  return std::string_view::npos;
}

// What libpq says about the last address it tried: each attempt begins a line.
std::string_view last_attempt(std::string_view message) {
  constexpr std::string_view kAttempt = "connection to server ";
  for (std::size_t start = message.rfind(kAttempt); start != std::string_view::npos;
       start = message.rfind(kAttempt, start - 1)) {
    if (start == 0 || message[start - 1] == '\n') return message.substr(start);
  }
  return message;
}

constexpr std::size_t kMaxMessage = 600;  // a server may send any length

// Makes it fit for logs and pages: valid UTF-8 (before login a server writes in its own encoding),
// no control characters, limited length.
std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    if (clean.size() >= kMaxMessage) return clean + "…";
    const std::size_t length = text::utf8_sequence_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0) {
      clean += "\xEF\xBF\xBD";  // U+FFFD
    } else if (first < 0x20 || first == 0x7F) {
      clean += ' ';
    } else {
      clean += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r\v\f";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return text::is_digit(c) || text::is_capital(c);
         });
}

PgError connect_error(std::string_view message, Phase phase) {
  const std::string_view attempt = last_attempt(message);
  const std::size_t found = find_sqlstate(attempt);
  if (found != std::string_view::npos) {
    std::string sqlstate(attempt.substr(found, 5));
    const Reason reason = reason_of_refusal(sqlstate, attempt);
    // A refusal by the server itself belongs to the startup phase, whatever was being waited for.
    return PgError(Phase::kStartup, reason, std::move(sqlstate), one_line(message), true);
  }
  return PgError(phase, reason_of_text(attempt, phase), "", one_line(message), true);
}

PgError lost_error(std::string_view message, Phase phase) {
  const Reason reason = message.empty() ? Reason::kClosed : reason_of_text(message, Phase::kQuery);
  return PgError(phase, reason, "",
                 message.empty() ? "the server closed the connection" : one_line(message), true);
}

// libpq wraps its hints over lines: one that goes on begins with a small letter.
std::string_view joint(char before, char after) {
  const bool ended = std::string_view(".?!:").find(before) != std::string_view::npos;
  const bool goes_on = after >= 'a' && after <= 'z';
  return ended || goes_on ? " " : "; ";
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
    const std::string_view line = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty() || line.starts_with("LOCATION:")) continue;
    if (!text.empty()) text += joint(text.back(), line.front());
    text += line;
  }
  const std::size_t sqlstate = find_sqlstate(text);
  if (sqlstate != std::string::npos) text.erase(sqlstate - 2, 8);  // "  28P01:"
  return printable(text);
}

}  // namespace pgconn::postgres
