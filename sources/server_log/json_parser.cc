#include "sources/server_log/json_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "sources/server_log/severity.h"
#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

constexpr int kTornToTell = 10;

constexpr std::string_view kFirstKey = "{\"timestamp\":";

// The pairs of one flat object, front to back.
class Pairs {
 public:
  explicit Pairs(std::string_view line) : rest_(line) {}

  struct String {
    std::string_view text;  // with its escapes
    bool is_whole = true;   // false: the line ended in it
  };

  // The next pair; nothing at the end of the object, or of the line, or if it is not JSON.
  std::optional<std::pair<std::string_view, String>> next() {
    if (!skip(is_first_ ? '{' : ',')) return std::nullopt;
    is_first_ = false;
    const auto key = string();
    if (!key || !key->is_whole || !skip(':')) return std::nullopt;
    if (rest_.starts_with('"')) {
      const auto value = string();
      if (!value) return std::nullopt;
      return std::pair{key->text, *value};
    }
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != ',' && rest_[end] != '}' && rest_[end] != '"') ++end;
    const String value{rest_.substr(0, end)};
    rest_.remove_prefix(end);
    return std::pair{key->text, value};
  }

  bool is_at_end() const { return rest_ == "}"; }

 private:
  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<String> string() {
    if (!skip('"')) return std::nullopt;
    String result;
    std::size_t at = rest_.find('"');
    // A quote after an odd number of backslashes does not end it.
    while (at != std::string_view::npos && is_escaped(at)) at = rest_.find('"', at + 1);
    if (at == std::string_view::npos) {
      result.is_whole = false;
      result.text = rest_;
      rest_ = {};
      return result;
    }
    result.text = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return result;
  }

  bool is_escaped(std::size_t quote) const {
    std::size_t backslashes = 0;
    while (backslashes < quote && rest_[quote - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  std::string_view rest_;
  bool is_first_ = true;
};

// PostgreSQL writes \b \f \n \r \t \" \\ and \u00XX for control characters.
std::string_view unescaped(const Pairs::String& value, std::string& scratch) {
  if (value.text.substr(0, kLongestText).find('\\') == std::string_view::npos) {
    return value.text.substr(0, kLongestText);
  }
  scratch.clear();
  const std::string_view text = value.text;
  for (std::size_t i = 0; i < text.size() && scratch.size() < kLongestText; ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      scratch += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'u') {
      scratch += '?';
      i += 4;
    } else {
      scratch += c == 'n' || c == 'r' || c == 't' || c == 'b' || c == 'f' ? ' ' : c;
    }
  }
  return scratch;
}

// Stores a field that is of interest; false if its value is impossible.
bool take(std::string_view key, const Pairs::String& value, JsonScratch& scratch, Entry& entry) {
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
    entry.user = unescaped(value, scratch.user);
  } else if (key == "dbname") {
    entry.database = unescaped(value, scratch.database);
  } else if (key == "error_severity") {
    entry.severity = severity_of(value.text);
  } else if (key == "state_code") {
    entry.sqlstate = value.text;
  } else if (key == "message") {
    entry.message = unescaped(value, scratch.message);
  } else if (key == "detail") {
    entry.detail = unescaped(value, scratch.detail);
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
  Pairs pairs(line);
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
