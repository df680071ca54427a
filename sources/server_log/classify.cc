#include "sources/server_log/classify.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "postgres/sqlstate.h"
#include "sources/server_log/classify_rules.h"

namespace pgconn::server_log {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// How far into a message its fixed text can be: after a name.
constexpr std::size_t kFarthest = 512;

// A rule's text in two parts, so that most of the rules that do not fit cost one comparison.
struct Text {
  std::string_view begin;
  std::string_view later;  // what follows somewhere after it
};

Text text_of(std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return {pattern, {}};
  return {pattern.substr(0, star), pattern.substr(star + 1)};
}

bool has_text(std::string_view message, const Text& text) {
  if (!message.starts_with(text.begin)) return false;
  return text.later.empty() ||
         message.substr(0, kFarthest).find(text.later, text.begin.size()) != std::string_view::npos;
}

struct Candidate {
  const Rule* rule = nullptr;
  Text text;
};

// The rules that an entry of this severity can fit, in their order. Lives as long as the program.
const std::vector<Candidate>& candidates(Severity severity) {
  static const auto kBySeverity = [] {
    std::array<std::vector<Candidate>, kSeverities> result;
    for (std::size_t i = 0; i < kSeverities; ++i) {
      const auto each = static_cast<Severity>(i);
      for (const Rule& rule : rules()) {
        if (each != Severity::kUnknown && (rule.severities & bit(each)) == 0) continue;
        result.at(i).push_back({&rule, text_of(rule.text)});
      }
    }
    return result;
  }();
  return kBySeverity.at(static_cast<std::size_t>(severity));
}

bool is_writer(const Entry& entry, Writer writer) {
  if (writer == Writer::kAny) return true;
  if (!entry.backend_type.empty()) {
    const bool is_session =
        entry.backend_type == "client backend" || entry.backend_type == "walsender";
    if (writer == Writer::kSession) return is_session;
    // `not initialized` is what a backend calls itself before it has read the startup packet.
    return !is_session;
  }
  if (!entry.user) return true;
  return (writer == Writer::kSession) == !entry.user->empty();
}

bool fits(const Candidate& candidate, const Entry& entry) {
  const Rule& rule = *candidate.rule;
  const std::string_view begin = candidate.text.begin;
  if (!begin.empty() && (entry.message.empty() || entry.message.front() != begin.front())) {
    return false;
  }
  if (entry.sqlstate.empty() ? rule.text.empty() : !entry.sqlstate.starts_with(rule.sqlstate)) {
    return false;
  }
  return has_text(entry.message, candidate.text) && is_writer(entry, rule.writer);
}

// The number that begins right after `before`; 0 if there is none.
std::int32_t number_after(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + before.size());
  std::int32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Takes a number and the separator after it from the front of `text`; false if they are not there.
bool take_number(std::string_view& text, std::int64_t& value, char separator) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (separator == '\0') return true;
  if (!text.starts_with(separator)) return false;
  text.remove_prefix(1);
  return true;
}

// `disconnection: session time: 1:02:03.456 user=…`
std::optional<milliseconds> session_time(std::string_view message) {
  constexpr std::string_view kBefore = "disconnection: session time: ";
  message.remove_prefix(std::min(kBefore.size(), message.size()));
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  std::int64_t seconds = 0;
  std::int64_t thousandths = 0;
  if (!take_number(message, hours, ':') || !take_number(message, minutes, ':') ||
      !take_number(message, seconds, '.') || !take_number(message, thousandths, '\0')) {
    return std::nullopt;
  }
  constexpr std::int64_t kMostHours = 24 * 366 * 100;
  if (hours > kMostHours || minutes > 59 || seconds > 60 || thousandths > 999) return std::nullopt;
  return milliseconds(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths);
}

// `setup total=31.279 ms, fork=3.997 ms, authentication=9.921 ms`
std::optional<microseconds> stage(std::string_view message, std::string_view name) {
  const std::size_t at = message.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  message.remove_prefix(at + name.size());
  std::int64_t whole = 0;
  std::int64_t thousandths = 0;
  constexpr std::int64_t kMost = 1'000'000'000;  // eleven days
  if (!take_number(message, whole, '.') || whole > kMost) return std::nullopt;
  if (!take_number(message, thousandths, ' ') || thousandths > 999) return std::nullopt;
  return microseconds(whole * 1000 + thousandths);
}

std::optional<LoginDurations> login_durations(std::string_view message) {
  const auto total = stage(message, "setup total=");
  const auto fork = stage(message, " fork=");
  const auto authentication = stage(message, " authentication=");
  if (!total || !fork || !authentication) return std::nullopt;
  return LoginDurations{{*total, *fork, *authentication}};
}

// Adds what the texts of some events say besides.
void add_facts(const Entry& entry, Classified& result) {
  switch (*result.event) {
    case Event::kDisconnection:
      result.session = session_time(entry.message);
      break;
    case Event::kConnectionReady:
      result.login = login_durations(entry.message);
      break;
    case Event::kAuthenticationFailed:
      // The client only hears of a wrong password; the log has the real reason.
      if (has_text(entry.detail, {"Role \"", "\" does not exist."})) {
        result.refusal = Refusal::kNoRole;
      }
      break;
    case Event::kBackendCrash:
      result.subject = number_after(entry.message, "(PID ");
      result.signal = static_cast<int>(number_after(entry.message, "terminated by signal "));
      break;
    case Event::kLockWait:
    case Event::kLockWaitEnded:
      result.subject = number_after(entry.message, "process ");
      result.actor = number_after(entry.detail, "holding the lock: ");
      break;
    case Event::kAdminTerminate:
    case Event::kQueryCancel:
      result.actor = number_after(entry.detail, "Signal sent by PID ");
      break;
    default:
      break;
  }
}

}  // namespace

Classified classify(const Entry& entry) {
  Classified result;
  result.sqlstate = postgres::sqlstate_label(entry.sqlstate);
  result.subject = entry.pid;
  for (const Candidate& candidate : candidates(entry.severity)) {
    if (!fits(candidate, entry)) continue;
    const Rule& rule = *candidate.rule;
    if (!rule.event) return result;
    result.event = rule.event;
    if (rule.refusal >= 0) result.refusal = static_cast<Refusal>(rule.refusal);
    add_facts(entry, result);
    return result;
  }
  return result;
}

}  // namespace pgconn::server_log
