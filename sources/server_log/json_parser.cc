#include "sources/server_log/json_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "sources/server_log/json_pairs.h"
#include "sources/server_log/severity.h"
#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

constexpr int kTornToTell = 10;

constexpr std::string_view kFirstKey = "{\"timestamp\":";

// Stores a field that is of interest; false if its value is impossible.
bool take(std::string_view key, const JsonPairs::Value& value, JsonScratch& scratch, Entry& entry) {
  if (key == "timestamp") {
    const auto stamp = parse_timestamp(value.text);
    if (stamp) entry.time = stamp->time;
    return stamp.has_value();
  }
  if (key == "pid") {
    const char* end = value.text.data() + value.text.size();
    return std::from_chars(value.text.data(), end, entry.pid).ptr == end;
  }
  if (key == "user") {
    entry.user = value.unescaped(scratch.user);
  } else if (key == "dbname") {
    entry.database = value.unescaped(scratch.database);
  } else if (key == "error_severity") {
    entry.severity = severity_of(value.text);
  } else if (key == "state_code") {
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

}  // namespace

bool parse_json_line(std::string_view line, bool is_cut, JsonScratch& scratch, Entry& entry) {
  entry = {};
  entry.user = "";  // a process without a session has none
  entry.database = "";
  entry.sqlstate = "00000";  // the default, which is omitted
  bool has_time = false;
  bool has_severity = false;
  JsonPairs pairs(line);
  while (const auto pair = pairs.next()) {
    const auto& [key, value] = *pair;
    if (!value.is_whole && !is_cut) return false;
    if (!take(key, value, scratch, entry)) return false;
    has_time |= key == "timestamp";
    has_severity |= key == "error_severity";
  }
  return has_time && has_severity && (is_cut || pairs.is_at_end());
}

void JsonParser::feed(std::string_view bytes, const Sink& sink) {
  lines_.feed(bytes,
              [&](std::string_view text, std::uint64_t length) { line(text, length, sink); });
}

void JsonParser::line(std::string_view text, std::uint64_t length, const Sink& sink) {
  const bool is_cut = length > kLongestEntry + 1;
  if (is_cut) {
    ++faults_.oversize;
  } else {
    inspect(text, faults_);
  }
  Entry entry;
  bool is_entry = parse_json_line(text, is_cut, scratch_, entry);
  if (!is_entry) {
    ++faults_.torn;
    // A torn object is followed by the next one on its line. Inside a string the quotes of the key
    // would be escaped.
    const std::size_t again = text.rfind(kFirstKey);
    if (again != std::string_view::npos && again > 0) {
      is_entry = parse_json_line(text.substr(again), is_cut, scratch_, entry);
    }
  }
  torn_in_a_row_ = is_entry ? 0 : torn_in_a_row_ + 1;
  if (is_entry) sink(entry);
}

void JsonParser::finish(const Sink&) {
  if (pending() != 0) ++faults_.torn;
  lines_.clear();
  torn_in_a_row_ = 0;
}

std::string JsonParser::misfit() const {
  return torn_in_a_row_ < kTornToTell ? "" : "its lines are no objects of jsonlog";
}

}  // namespace pgconn::server_log
