#include "sources/server_log/prefix.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

constexpr std::size_t kLongestPattern = 1000;
// For application, user and database: 63 bytes, at worst each written as \xNN.
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestHost = 1100;  // with log_hostname
constexpr int kMostSteps = 4'000;           // per line; a sensible prefix needs twenty

constexpr std::string_view kEscapes = "audrhbpPtmniecslvxQL";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
constexpr bool is_code(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); }

// Escapes whose values can contain anything, and end where the rest of the prefix begins.
constexpr bool is_free(char escape) {
  return std::string_view("audrhbiL").find(escape) != std::string_view::npos;
}

template <typename Predicate>
std::size_t run_of(std::string_view text, Predicate belongs) {
  std::size_t length = 0;
  while (length < text.size() && belongs(text[length])) ++length;
  return length;
}

// Length of `left SEPARATOR right`, both runs of characters that `belongs` accepts; 0 if absent.
template <typename Predicate>
std::size_t pair_of(std::string_view text, char separator, Predicate belongs) {
  const std::size_t left = run_of(text, belongs);
  if (left == 0 || left >= text.size() || text[left] != separator) return 0;
  const std::size_t right = run_of(text.substr(left + 1), belongs);
  return right == 0 ? 0 : left + 1 + right;
}

// Length of the value of a field of fixed shape at the front of `text`, 0 if there is none. Most of
// these are empty in some processes.
std::size_t shape_length(char escape, std::string_view text) {
  switch (escape) {
    case 't':
    case 'm':
    case 's': {
      // %m always has milliseconds, the others never.
      const auto stamp = parse_timestamp(text);
      return stamp && (text[19] == '.') == (escape == 'm') ? stamp->length : 0;
    }
    case 'n': {
      const auto stamp = parse_epoch(text);
      return stamp ? stamp->length : 0;
    }
    case 'e':
      return text.size() >= 5 && run_of(text.substr(0, 5), is_code) == 5 ? 5 : 0;
    case 'c':
      return pair_of(text, '.', is_hex);
    case 'v':
      return pair_of(text, '/', is_digit);
    default: {  // p P l x Q: a number
      const std::size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
      const std::size_t digits = run_of(text.substr(sign), is_digit);
      return digits == 0 ? 0 : sign + digits;
    }
  }
}

// Whether this field may be empty in a line.
constexpr bool may_be_empty(char escape) {
  return std::string_view("Pvs").find(escape) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

void store(Head& head, char escape, std::string_view value) {
  switch (escape) {
    case 'u':
      head.user = value;
      break;
    case 'd':
      head.database = value;
      break;
    case 'e':
      head.sqlstate = value;
      break;
    case 'b':
      head.backend_type = value;
      break;
    case 'c':  // start time and process number
      if (head.pid == 0 && value.find('.') != std::string_view::npos) {
        const std::string_view pid = value.substr(value.find('.') + 1);
        std::from_chars(pid.data(), pid.data() + pid.size(), head.pid, 16);
      }
      break;
    case 'p':
      std::from_chars(value.data(), value.data() + value.size(), head.pid);
      break;
    case 't':
    case 'm':
      if (const auto stamp = parse_timestamp(value)) head.time = stamp->time;
      break;
    case 'n':
      if (const auto stamp = parse_epoch(value)) head.time = stamp->time;
      break;
    default:
      break;
  }
}

}  // namespace

Prefix::Prefix(std::string_view pattern) : pattern_(pattern) {
  if (pattern.size() > kLongestPattern) {
    throw std::invalid_argument("longer than 1000 bytes, as no log_line_prefix should be");
  }
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      add_literal(pattern[i]);
      continue;
    }
    const std::size_t begin = i++;
    int width = 0;
    if (i < pattern.size() && (pattern[i] == '-' || is_digit(pattern[i]))) {
      const auto [end, error] =
          std::from_chars(pattern.data() + i, pattern.data() + pattern.size(), width);
      if (error != std::errc() || std::abs(width) > 500) {
        throw std::invalid_argument("a padding that is no number from -500 to 500");
      }
      i = static_cast<std::size_t>(end - pattern.data());
    }
    if (i == pattern.size()) break;  // PostgreSQL ignores a lone % at the end
    const char escape = pattern[i];
    if (escape == '%') {
      add_literal('%');
    } else if (escape == 'q') {
      if (!quit_) quit_ = segments_.size();
    } else if (kEscapes.find(escape) != std::string_view::npos) {
      segments_.push_back({.escape = escape, .width = width, .literal = {}});
    } else {
      throw std::invalid_argument(std::string(pattern.substr(begin, i - begin + 1)) +
                                  " is no escape of log_line_prefix");
    }
    has_names_ |= is_free(escape);
    has_sqlstate_ |= escape == 'e';
    has_time_ |= escape == 't' || escape == 'm' || escape == 'n';
    has_pid_ |= escape == 'p' || escape == 'c';
  }
}

void Prefix::add_literal(char c) {
  // A literal that begins after %q is a segment of its own: the rest may be missing.
  const bool after_quit = quit_ && *quit_ == segments_.size();
  if (segments_.empty() || segments_.back().escape != 0 || after_quit) segments_.emplace_back();
  segments_.back().literal += c;
}

// One attempt to read one line. Depth of recursion: the number of segments.
class Prefix::Walk {
 public:
  // What is considered possible. kPlain: names of users, databases and hosts have no spaces;
  // kSpaces: they may; kAnyWord: also, a word that is in no list may be the heading.
  enum class Reading { kPlain, kSpaces, kAnyWord };

  Walk(const Prefix& prefix, std::string_view line, Reading reading)
      : prefix_(prefix), line_(line), reading_(reading) {}

  // Reads segments[i…] and the heading from `at` on.
  bool from(std::size_t i, std::size_t at) {
    if (++steps_ > kMostSteps) return false;
    if (prefix_.quit_ == i && heading(at)) {
      // A process without a session writes none of the following.
      set_absent(i);
      return true;
    }
    if (i == prefix_.segments_.size()) return heading(at);
    const Segment& segment = prefix_.segments_[i];
    if (segment.escape == 0) {
      const std::string_view literal = segment.literal;
      return line_.substr(at).starts_with(literal) && from(i + 1, at + literal.size());
    }
    return is_free(segment.escape) ? free_field(i, at) : shaped_field(i, at);
  }

  Head head;

 private:
  bool heading(std::size_t at) {
    const std::string_view rest = line_.substr(at);
    auto found = parse_heading(rest);
    if (!found && reading_ == Reading::kAnyWord) found = parse_unknown_heading(rest);
    if (!found) return false;
    head.heading = *found;
    head.rest = rest.substr(found->length);
    return true;
  }

  void set_absent(std::size_t first) {
    for (std::size_t i = first; i < prefix_.segments_.size(); ++i) {
      const char escape = prefix_.segments_[i].escape;
      if (escape == 'u' || escape == 'd') store(head, escape, "");
    }
  }

  bool shaped_field(std::size_t i, std::size_t at) {
    const Segment& segment = prefix_.segments_[i];
    const auto width = static_cast<std::size_t>(std::abs(segment.width));
    const std::string_view text = line_.substr(at);
    const std::size_t before = segment.width > 0 ? run_of(text.substr(0, width), is_space) : 0;
    const std::size_t length = shape_length(segment.escape, text.substr(before));
    const bool empty_is_fine = may_be_empty(segment.escape) || segment.width != 0;
    if (length == 0 && !empty_is_fine) return false;
    std::size_t taken = length == 0 ? width : before + length;
    if (taken < width) {
      if (segment.width > 0) return false;  // padded on the left, so it fills its width
      taken = width;
    }
    if (taken > text.size()) return false;
    if (run_of(text.substr(before + length, taken - before - length), is_space) !=
        taken - before - length) {
      return false;
    }
    store(head, segment.escape, text.substr(before, length));
    if (from(i + 1, at + taken)) return true;
    // A number right before digits, or a missing process number of a leader.
    return length != 0 && may_be_empty(segment.escape) && width == 0 && from(i + 1, at);
  }

  bool free_field(std::size_t i, std::size_t at) {
    const Segment& segment = prefix_.segments_[i];
    const bool is_host = segment.escape == 'r' || segment.escape == 'h' || segment.escape == 'L';
    const auto width = static_cast<std::size_t>(std::abs(segment.width));
    const std::size_t limit =
        std::min(line_.size(), at + width + (is_host ? kLongestHost : kLongestName));
    // %a, %b and %i have spaces every day.
    const bool is_plain =
        reading_ == Reading::kPlain && (is_host || segment.escape == 'u' || segment.escape == 'd');
    const bool next_is_literal =
        i + 1 < prefix_.segments_.size() && prefix_.segments_[i + 1].escape == 0;
    // Where %q follows, a process without a session ends here: the literal may be missing.
    const bool may_jump = next_is_literal && prefix_.quit_ != i + 1;
    for (std::size_t end = at + width; end <= limit; ++end) {
      if (may_jump) {
        end = line_.find(prefix_.segments_[i + 1].literal, end);
        if (end == std::string_view::npos || end > limit) return false;
      }
      const std::string_view value = line_.substr(at, end - at);
      if (is_plain && trimmed(value).find(' ') != std::string_view::npos) return false;
      store(head, segment.escape, width == 0 ? value : trimmed(value));
      if (from(i + 1, end)) return true;
      if (steps_ > kMostSteps) return false;
    }
    return false;
  }

  static constexpr bool is_space(char c) { return c == ' '; }

  const Prefix& prefix_;
  std::string_view line_;
  Reading reading_;
  int steps_ = 0;
};

std::optional<Head> Prefix::match(std::string_view line) const {
  using Reading = Walk::Reading;
  for (const Reading reading : {Reading::kPlain, Reading::kSpaces, Reading::kAnyWord}) {
    // In an unknown language an entry can only be recognised by its SQLSTATE.
    if (reading == Reading::kAnyWord && (!has_sqlstate_ || !has_time_)) break;
    if (reading == Reading::kSpaces && !has_names_) continue;
    Walk walk(*this, line, reading);
    if (walk.from(0, 0)) return walk.head;
  }
  return std::nullopt;
}

}  // namespace pgconn::server_log
