#include "sources/server_log/csv_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "sources/server_log/severity.h"
#include "sources/server_log/text.h"
#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

constexpr int kTornToTell = 10;

// Columns, as listed in PostgreSQL's documentation; 13 has 24 of them, 14 and later 26.
constexpr std::size_t kTime = 0, kUser = 1, kDatabase = 2, kPid = 3, kSeverity = 11, kSqlstate = 12,
                      kMessage = 13, kDetail = 14, kBackendType = 23, kColumns = 24;

struct Field {
  std::string_view text;     // without its quotes
  bool has_escapes = false;  // doubled quotes
};

using Fields = std::array<Field, kColumns>;

constexpr bool ends_unquoted(char c) { return c == ',' || c == '"' || c == '\n'; }

// Splits a record; returns the number of its fields, at most kColumns. The grammar was checked when
// it was framed.
std::size_t split(std::string_view record, Fields& fields) {
  std::size_t count = 0;
  std::size_t at = 0;
  for (;;) {
    Field field;
    if (at < record.size() && record[at] == '"') {
      std::size_t quote = record.find('"', at + 1);
      while (quote != std::string_view::npos && record.substr(quote + 1, 1) == "\"") {
        field.has_escapes = true;
        quote = record.find('"', quote + 2);
      }
      field.text = record.substr(at + 1, quote == std::string_view::npos ? quote : quote - at - 1);
      at = quote == std::string_view::npos ? record.size() : quote + 1;
    } else {
      std::size_t comma = at;
      while (comma < record.size() && record[comma] != ',') ++comma;
      field.text = record.substr(at, comma - at);
      at = comma;
    }
    fields[count++] = field;
    if (at >= record.size() || count == fields.size()) return count;
    ++at;  // the comma
  }
}

std::string_view unescaped(const Field& field, std::string& scratch) {
  if (!field.has_escapes) return field.text.substr(0, kLongestText);
  scratch.clear();
  std::string_view rest = field.text.substr(0, 2 * kLongestText);
  while (!rest.empty() && scratch.size() < kLongestText) {
    const std::size_t quote = std::min(rest.find('"'), rest.size());
    scratch += rest.substr(0, quote + 1);
    rest.remove_prefix(std::min(quote + 2, rest.size()));
  }
  return scratch;
}

}  // namespace

bool parse_csv_record(std::string_view record, bool is_cut, CsvScratch& scratch, Entry& entry) {
  Fields fields;
  const std::size_t count = split(record, fields);
  if (count <= kMessage || (!is_cut && count < kColumns)) return false;
  const auto stamp = parse_timestamp(fields[kTime].text);
  const std::string_view pid = fields[kPid].text;
  if (!stamp || fields[kSqlstate].text.size() != 5) return false;
  entry = {};
  const auto [end, error] = std::from_chars(pid.data(), pid.data() + pid.size(), entry.pid);
  if (error != std::errc() || end != pid.data() + pid.size()) return false;
  entry.time = stamp->time;
  entry.user = unescaped(fields[kUser], scratch.user);
  entry.database = unescaped(fields[kDatabase], scratch.database);
  entry.severity = severity_of(fields[kSeverity].text);
  entry.sqlstate = fields[kSqlstate].text;
  entry.message = unescaped(fields[kMessage], scratch.message);
  if (count > kDetail) entry.detail = unescaped(fields[kDetail], scratch.detail);
  if (count > kBackendType) entry.backend_type = fields[kBackendType].text;
  return true;
}

bool CsvParser::step() {
  const char c = buffer_[scan_];
  switch (state_) {
    case State::kFieldStart:
      if (c == '"') {
        state_ = State::kQuoted;
        ++scan_;
        return true;
      }
      state_ = State::kUnquoted;
      return true;
    case State::kUnquoted: {
      // These fields are short: a loop is faster than any search.
      std::size_t end = scan_;
      while (end < buffer_.size() && !ends_unquoted(buffer_[end])) ++end;
      if (end == buffer_.size()) {
        scan_ = end;
        return true;
      }
      if (buffer_[end] == '"') return false;
      is_whole_ = buffer_[end] == '\n';
      state_ = State::kFieldStart;
      scan_ = end + 1;
      return true;
    }
    case State::kQuoted: {
      const std::size_t quote = buffer_.find('"', scan_);
      scan_ = quote == std::string::npos ? buffer_.size() : quote + 1;
      if (quote != std::string::npos) state_ = State::kQuoteInQuoted;
      return true;
    }
    case State::kQuoteInQuoted:
      if (c != '"' && c != ',' && c != '\n') return false;
      state_ = c == '"' ? State::kQuoted : State::kFieldStart;
      is_whole_ = c == '\n';
      ++scan_;
      return true;
    case State::kRestOfLine: {
      const std::size_t newline = buffer_.find('\n', scan_);
      scan_ = newline == std::string::npos ? buffer_.size() : newline + 1;
      if (newline == std::string::npos) return true;
      state_ = State::kFieldStart;
      begin_after_torn();
      return true;
    }
  }
  return true;
}

void CsvParser::feed(std::string_view bytes, const Sink& sink) {
  buffer_.append(bytes);
  while (scan_ < buffer_.size()) {
    if (!step()) {
      drop_torn_line();
    } else if (is_whole_) {
      end_record(sink);
    } else {
      bound();
    }
  }
  buffer_.erase(0, begin_);
  scan_ -= begin_;
  begin_ = 0;
}

void CsvParser::end_record(const Sink& sink) {
  is_whole_ = false;
  const std::string_view record =
      std::string_view(buffer_).substr(begin_, scan_ - 1 - begin_).substr(0, kLongestEntry);
  const bool is_cut = skipped_ > 0 || scan_ - 1 - begin_ > kLongestEntry;
  Entry entry;
  if (!parse_csv_record(record, is_cut, scratch_, entry)) {
    drop_torn_line();
    return;
  }
  if (is_cut) {
    ++faults_.oversize;
  } else {
    inspect(record, faults_);
  }
  torn_in_a_row_ = 0;
  begin_ = scan_;
  skipped_ = 0;
  sink(entry);
}

// A new record may begin after the first newline.
void CsvParser::drop_torn_line() {
  const std::size_t newline = buffer_.find('\n', begin_);
  if (newline == std::string::npos || newline >= scan_) {
    state_ = State::kRestOfLine;  // pending and not counted until the end of its line
    return;
  }
  state_ = State::kFieldStart;
  // The line ends of a record that was not kept whole are no longer known; most of it was scanned.
  if (skipped_ == 0) scan_ = newline + 1;
  begin_after_torn();
}

void CsvParser::begin_after_torn() {
  ++faults_.torn;
  ++torn_in_a_row_;
  begin_ = scan_;
  skipped_ = 0;
}

// Keeps the beginning of a record that is too long, and only looks for its end. Cuts only when
// there is as much again to cut off, because each cut moves the bytes after it.
void CsvParser::bound() {
  if (scan_ - begin_ <= 2 * kLongestEntry) return;
  const std::size_t from = begin_ + kLongestEntry;
  skipped_ += scan_ - from;
  buffer_.erase(from, scan_ - from);
  scan_ = from;
}

void CsvParser::finish(const Sink&) {
  if (pending() != 0) ++faults_.torn;
  buffer_.clear();
  begin_ = scan_ = 0;
  skipped_ = 0;
  state_ = State::kFieldStart;
  torn_in_a_row_ = 0;
}

std::string CsvParser::misfit() const {
  return torn_in_a_row_ < kTornToTell ? "" : "its lines are no records of csvlog";
}

}  // namespace pgconn::server_log
