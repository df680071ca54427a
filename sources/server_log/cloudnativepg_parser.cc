#include "sources/server_log/cloudnativepg_parser.h"

#include <charconv>

#include "sources/server_log/json_pairs.h"
#include "sources/server_log/severity.h"
#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

constexpr int kTornToTell = 10;

// Stores a field that is of interest; false if its value is impossible.
bool take(std::string_view key, const JsonPairs::Value& value, JsonScratch& scratch, Entry& entry) {
  if (key == "log_time") {
    const auto stamp = parse_timestamp(value.text);
    if (stamp) entry.time = stamp->time;
    return stamp.has_value();
  }
  if (key == "process_id") {  // a number, as text
    const char* end = value.text.data() + value.text.size();
    return std::from_chars(value.text.data(), end, entry.pid).ptr == end;
  }
  if (key == "user_name") {
    entry.user = value.unescaped(scratch.user);
  } else if (key == "database_name") {
    entry.database = value.unescaped(scratch.database);
  } else if (key == "error_severity") {
    entry.severity = severity_of(value.text);
  } else if (key == "sql_state_code") {
    entry.sqlstate = value.text;
  } else if (key == "message") {
    entry.message = value.unescaped(scratch.message);
  } else if (key == "detail") {
    entry.detail = value.unescaped(scratch.detail);
  } else if (key == "backend_type") {
    entry.backend_type = value.text;
  }
  return true;
}

bool parse_record(std::string_view record, bool is_cut, JsonScratch& scratch, Entry& entry) {
  entry = {};
  entry.user = "";  // empty values may be left out
  entry.database = "";
  bool has_time = false;
  bool has_severity = false;
  JsonPairs pairs(record);
  while (const auto pair = pairs.next()) {
    const auto& [key, value] = *pair;
    if (!value.is_whole && !is_cut) return false;
    if (!take(key, value, scratch, entry)) return false;
    has_time |= key == "log_time";
    has_severity |= key == "error_severity";
  }
  return has_time && has_severity && (is_cut || pairs.is_at_end());
}

}  // namespace

InstanceLine parse_cloudnativepg_line(std::string_view line, bool is_cut, JsonScratch& scratch,
                                      Entry& entry) {
  JsonPairs pairs(line);
  std::string_view logger, record;
  bool has_any = false;
  while (const auto pair = pairs.next()) {
    const auto& [key, value] = *pair;
    has_any = true;
    if (key == "logger") logger = value.text;
    if (key == "record") record = value.text;
  }
  if (!has_any || !(is_cut || pairs.is_at_end())) return InstanceLine::kTorn;
  // `pgaudit` writes no message of the server's, but its record is an entry like the others.
  const bool is_entry = (logger == "postgres" || logger == "pgaudit") && record.starts_with('{');
  if (!is_entry) return InstanceLine::kOther;
  return parse_record(record, is_cut, scratch, entry) ? InstanceLine::kEntry : InstanceLine::kTorn;
}

void CloudNativePgParser::feed(std::string_view bytes, const Sink& sink) {
  lines_.feed(bytes,
              [&](std::string_view text, std::uint64_t length) { line(text, length, sink); });
}

void CloudNativePgParser::line(std::string_view text, std::uint64_t length, const Sink& sink) {
  const bool is_cut = length > kLongestEntry + 1;
  if (is_cut) {
    ++faults_.oversize;
  } else {
    inspect(text, faults_);
  }
  Entry entry;
  const InstanceLine what = parse_cloudnativepg_line(text, is_cut, scratch_, entry);
  torn_in_a_row_ = what == InstanceLine::kTorn ? torn_in_a_row_ + 1 : 0;
  if (what == InstanceLine::kTorn) ++faults_.torn;
  if (what == InstanceLine::kEntry) sink(entry);
}

void CloudNativePgParser::finish(const Sink&) {
  if (pending() != 0) ++faults_.torn;
  lines_.clear();
  torn_in_a_row_ = 0;
}

std::string CloudNativePgParser::misfit() const {
  return torn_in_a_row_ < kTornToTell
             ? ""
             : "its lines are no objects of a CloudNativePG instance; see `format` and `container`";
}

}  // namespace pgconn::server_log
