#include "sources/server_log/pgbouncer_parser.h"

#include <array>
#include <charconv>
#include <utility>

#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

constexpr int kMisfitsToTell = 10;
constexpr std::array<std::pair<std::string_view, Severity>, 6> kLevels = {{
    {"LOG ", Severity::kLog},
    {"WARNING ", Severity::kWarning},
    {"ERROR ", Severity::kError},
    {"FATAL ", Severity::kFatal},
    {"DEBUG ", Severity::kDebug},
    {"NOISE ", Severity::kDebug},
}};

// Takes "2026-11-30 08:18:43.133 UTC [31734] " off, if it is there.
bool take_time(std::string_view& line, Entry& entry) {
  const std::size_t bracket = line.find(" [");
  const std::size_t end = line.find("] ");
  if (bracket == std::string_view::npos || end == std::string_view::npos || end < bracket) {
    return false;
  }
  const auto stamp = parse_timestamp(line.substr(0, bracket));
  const std::string_view pid = line.substr(bracket + 2, end - bracket - 2);
  if (!stamp || std::from_chars(pid.data(), pid.data() + pid.size(), entry.pid).ptr !=
                    pid.data() + pid.size()) {
    return false;
  }
  entry.time = stamp->time;
  line.remove_prefix(end + 2);
  return true;
}

bool take_level(std::string_view& line, Entry& entry) {
  for (const auto& [word, severity] : kLevels) {
    if (!line.starts_with(word)) continue;
    entry.severity = severity;
    line.remove_prefix(word.size());
    return true;
  }
  return false;
}

// "C-0x55d0: database/user@127.0.0.1:5432 message": a connection's message is behind its peer. The
// names may contain anything that a database or role may be called.
void take_side(std::string_view& line, Entry& entry) {
  if (!line.starts_with("C-0x") && !line.starts_with("S-0x")) return;
  const std::size_t colon = line.find(": ");
  const std::size_t at = line.find('@', colon == std::string_view::npos ? line.size() : colon);
  const std::size_t space = line.find(' ', at == std::string_view::npos ? line.size() : at);
  if (space == std::string_view::npos) return;
  entry.backend_type = line.front() == 'C' ? "client" : "server";
  line.remove_prefix(space + 1);
}

}  // namespace

bool parse_pgbouncer_line(std::string_view line, Entry& entry) {
  entry = {};
  take_time(line, entry);
  if (!take_level(line, entry)) return false;
  take_side(line, entry);
  entry.message = line.substr(0, kLongestText);
  return true;
}

void PgbouncerParser::feed(std::string_view bytes, const Sink& sink) {
  lines_.feed(bytes,
              [&](std::string_view text, std::uint64_t length) { line(text, length, sink); });
}

void PgbouncerParser::line(std::string_view text, std::uint64_t length, const Sink& sink) {
  inspect(text, faults_);
  if (length > kLongestEntry) ++faults_.oversize;
  Entry entry;
  const bool is_entry = parse_pgbouncer_line(text, entry);
  misfits_in_a_row_ = is_entry ? 0 : misfits_in_a_row_ + 1;
  if (is_entry) {
    sink(entry);
  } else {
    ++faults_.unparsed;
  }
}

void PgbouncerParser::finish(const Sink&) {
  if (pending() != 0) ++faults_.torn;
  lines_.clear();
  misfits_in_a_row_ = 0;
}

std::string PgbouncerParser::misfit() const {
  return misfits_in_a_row_ < kMisfitsToTell ? "" : "its lines are not those of a PgBouncer";
}

}  // namespace pgconn::server_log
