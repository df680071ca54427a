#include "sources/server_log/journal_input.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "sources/server_log/json_pairs.h"
#include "text/ascii.h"

namespace pgconn::server_log {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestWait(60);  // until a child that has ended is started again
constexpr std::string_view kPath = "journal";

void append_unescaped(std::string_view text, std::string& to) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      to += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'u') {
      unsigned value = '?';
      const std::string_view digits = text.substr(i + 1, 4);
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      to += value > 0 && value < 0x80 ? static_cast<char>(value) : '?';
      i += 4;
    } else {
      constexpr std::string_view kEscapes = "nrtbf", kMeanings = "\n\r\t\b\f";
      const std::size_t at = kEscapes.find(c);
      to += at == std::string_view::npos ? c : kMeanings[at];
    }
  }
}

// What is not UTF-8 comes as a list of numbers.
void append_numbers(std::string_view list, std::string& to) {
  const char* at = list.data();
  const char* const end = at + list.size();
  while (at < end) {
    unsigned value = 0;
    const auto result = std::from_chars(at, end, value);
    if (result.ec == std::errc()) to += static_cast<char>(value);
    at = result.ec == std::errc() ? result.ptr : at + 1;
  }
}

std::string text_of(const JsonPairs::Value& value) {
  std::string text;
  if (value.is_string) {
    append_unescaped(value.text, text);
  } else if (value.text.starts_with('[')) {
    append_numbers(value.text, text);
  }
  return text;
}

}  // namespace

std::vector<std::string> journal_command(const JournalOptions& options, const std::string& cursor) {
  std::vector<std::string> words = {
      options.program, "--output=json", "--follow",  "--all",
      "--quiet",       "--no-pager",    "--no-tail", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER"};
  if (!options.directory.empty()) words.push_back("--directory=" + options.directory);
  for (const std::string& unit : options.units) words.push_back("--unit=" + unit);
  if (cursor.empty()) {
    words.erase(std::ranges::find(words, "--no-tail"));
    words.emplace_back("--lines=0");
  } else {
    words.push_back("--after-cursor=" + cursor);
  }
  return words;
}

std::optional<JournalRecord> parse_journal_line(std::string_view line) {
  JournalRecord record;
  JsonPairs pairs(line);
  while (const auto pair = pairs.next()) {
    const auto& [key, value] = *pair;
    if (!value.is_whole) return std::nullopt;
    if (key == "__CURSOR") record.cursor = text_of(value);
    if (key == "SYSLOG_IDENTIFIER") record.identifier = text_of(value);
    if (key == "MESSAGE") record.message = text_of(value);
  }
  if (!pairs.is_at_end() || record.cursor.empty()) return std::nullopt;
  for (std::size_t at = 0; (at = record.message.find('\n', at)) != std::string::npos; at += 2) {
    record.message.insert(at + 1, 1, '\t');
  }
  return record;
}

bool take_off_sequence(std::string& message) {
  const std::size_t end = message.find("] ");
  if (!message.starts_with('[') || end == std::string::npos) return false;
  const std::string_view number = std::string_view(message).substr(1, end - 1);
  const std::size_t dash = number.find('-');
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.size() < 20 && std::ranges::all_of(text, text::is_digit);
  };
  if (dash == std::string_view::npos || !is_number(number.substr(0, dash)) ||
      !is_number(number.substr(dash + 1))) {
    return false;
  }
  const bool is_further = number.substr(dash + 1) != "1";
  message.erase(0, end + 2);
  return is_further;
}

JournalInput::JournalInput(JournalOptions options, const Prefix& prefix,
                           const std::optional<History>& history)
    : options_(std::move(options)), prefix_(prefix), parser_(make_parser(Format::kStderr, prefix)) {
  if (!history) return;
  const auto known = std::ranges::find(history->positions, kPath, &Position::path);
  if (known != history->positions.end()) last_ = done_ = known->cursor;
}

bool JournalInput::start(TimePoint now) {
  if (now < not_before_) return false;
  try {
    child_ = std::make_unique<Child>(journal_command(options_, last_));
    stream_.emplace(child_->output());
    return true;
  } catch (const std::runtime_error& error) {
    tell(Trouble::kUnreadable, std::string("journalctl cannot be started: ") + error.what());
    ended(now);
    return false;
  }
}

void JournalInput::ended(TimePoint now) {
  stream_.reset();
  child_.reset();
  lines_.clear();  // it comes again
  wait_ = std::clamp(wait_ * 2, seconds(1), kLongestWait);
  not_before_ = now + wait_;
}

bool JournalInput::poll(TimePoint now, std::size_t most, const Sink& sink) {
  if (!child_ && !start(now)) return false;
  const Sink noting = [&](const Entry& entry) {
    if (entry.time) last_entry_ = entry.time;
    sink(entry);
  };
  const auto result = stream_->read(most, [&](std::string_view bytes) {
    lines_.feed(bytes,
                [&](std::string_view text, std::uint64_t length) { line(text, length, noting); });
  });
  if (result == ByteStream::Read::kNothing) {
    parser_->flush(noting);
    if (parser_->pending() == 0) done_ = last_;
  }
  if (result == ByteStream::Read::kEnd || result == ByteStream::Read::kFailed) {
    const std::string said = child_->errors();
    tell(Trouble::kUnreadable,
         "journalctl has ended, and is started again: " +
             (said.empty() ? "it says nothing of why; is it installed, and may this program's user "
                             "read the journal (group systemd-journal)?"
                           : said));
    ended(now);
  }
  const std::string misfit = parser_->misfit();
  if (!misfit.empty() && !is_misfit_) {
    news_.push_back({Trouble::kFormat, "the journal's messages do not fit: " + misfit});
  }
  is_misfit_ = !misfit.empty();
  return result == ByteStream::Read::kMore;
}

void JournalInput::line(std::string_view text, std::uint64_t length, const Sink& sink) {
  auto record = length > kLongestEntry ? std::nullopt : parse_journal_line(text);
  if (!record) {
    ++(length > kLongestEntry ? own_.oversize : own_.unparsed);
    return;
  }
  is_failing_ = false;
  wait_ = seconds(0);
  const std::string before = std::exchange(last_, record->cursor);
  const std::uint64_t pending = parser_->pending();
  // What systemd says about the unit is not the server's.
  std::uint64_t fed = 0;
  if (record->identifier != "systemd" && !record->message.empty()) {
    fed = feed(std::move(record->message), sink);
  }
  const std::uint64_t after = parser_->pending();
  if (after == 0) {
    done_ = last_;
  } else if (pending == 0 || after != pending + fed) {
    done_ = before;  // an entry begins with this record
  }
}

// Returns how many bytes that was.
std::uint64_t JournalInput::feed(std::string message, const Sink& sink) {
  const bool is_further = take_off_sequence(message);
  // DETAIL and the like have the prefix again.
  if (is_further && !message.starts_with('\t') && !prefix_.match(message)) message.insert(0, "\t");
  message += '\n';
  parser_->feed(message, sink);
  return message.size();
}

std::vector<Position> JournalInput::positions() const {
  if (done_.empty()) return {};
  Position position;
  position.path = kPath;
  position.cursor = done_;
  return {position};
}

Lag JournalInput::lag(TimePoint now) const {
  Lag lag;
  if (stream_) lag.bytes = stream_->waiting();
  if (lag.bytes > 0 && last_entry_) {
    lag.age = std::max<std::chrono::duration<double>>(lag.age, now - *last_entry_);
  }
  return lag;
}

ParseFaults JournalInput::faults() const {
  ParseFaults sum = own_;
  sum += parser_->faults();
  return sum;
}

void JournalInput::set_prefix(const Prefix& prefix) {
  prefix_ = prefix;
  parser_->set_prefix(prefix);
}

void JournalInput::tell(Trouble trouble, const std::string& text) {
  if (!std::exchange(is_failing_, true)) news_.push_back({trouble, text});
}

std::vector<Problem> JournalInput::take_problems() { return std::exchange(news_, {}); }

}  // namespace pgconn::server_log
