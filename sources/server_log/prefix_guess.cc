#include "sources/server_log/prefix_guess.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "sources/server_log/csv_parser.h"
#include "sources/server_log/json_parser.h"
#include "sources/server_log/prefix.h"
#include "sources/server_log/severity.h"
#include "sources/server_log/timestamp.h"

namespace pgconn::server_log {
namespace {

// Prefixes of distributions, clouds and pgBadger's manual. Those without names come first: nothing
// else can be mistaken for them. A pattern with %q fits any line that one without it fits.
constexpr auto kKnown = std::to_array<std::string_view>({
    "%m [%p] ",
    "%t [%p] ",
    "%m [%p]: ",
    "%t [%p]: ",
    "%m [%p] %e ",
    "%t-%c-",
    "< %m > ",
    "%m ",
    "%t ",
    "%n [%p] ",
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%t:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:",
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%t [%p]: [%l-1] db=%d,user=%u ",
    "%m [%p] %e %q%u@%d ",
    "%m [%p] %q%u@%d %e ",
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] %q%u@%d ",
    "%m [%p] %u@%d ",
});

bool fits(std::string_view pattern, std::span<const std::string> lines) {
  const Prefix prefix(pattern);
  std::size_t fitting = 0;
  for (const std::string& line : lines) {
    if (line.starts_with('\t') || prefix.match(line)) ++fitting;
  }
  return fitting > 0 && fitting * 10 >= lines.size() * 8;
}

std::size_t word_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && (std::isalnum(static_cast<unsigned char>(text[length])) != 0 ||
                                  text[length] == '_' || text[length] == '-')) {
    ++length;
  }
  return length;
}

struct Named {
  std::string_view key;
  std::string_view escape;
};

constexpr auto kNamed = std::to_array<Named>({
    {"user=", "%u"},
    {"usr=", "%u"},
    {"db=", "%d"},
    {"database=", "%d"},
    {"app=", "%a"},
    {"application=", "%a"},
    {"client=", "%h"},
    {"host=", "%h"},
    {"remote=", "%r"},
    {"pid=", "%p"},
    {"state=", "%e"},
    {"sqlstate=", "%e"},
});

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// The escape for one run of letters and digits in front of a heading.
std::string escape_for(std::string_view word) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kCode = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (word.size() == 5 && all_of(word, kCode) && word.find_first_of(kDigits) != word.npos &&
      (word == "00000" || !all_of(word, kDigits))) {
    return "%e";
  }
  if (all_of(word, kDigits)) return "%p";
  return "%u";
}

// Turns what is in front of a line's heading into a pattern: times, numbers and SQLSTATEs by their
// shape, names by a key in front of them or by `@`.
std::string generalised(std::string_view head) {
  std::string pattern;
  while (!head.empty()) {
    if (const auto stamp = parse_timestamp(head)) {
      pattern += head.substr(0, 20).ends_with('.') ? "%m" : "%t";
      head.remove_prefix(stamp->length);
      continue;
    }
    const auto* const named = std::ranges::find_if(
        kNamed, [head](const Named& known) { return head.starts_with(known.key); });
    if (named != kNamed.end()) {
      pattern += std::string(named->key) + std::string(named->escape);
      head.remove_prefix(named->key.size());
      const std::size_t value = std::min(head.find_first_of(" ,;|]"), head.size());
      if (head.substr(0, value).ends_with(':')) pattern += ':';
      head.remove_prefix(value);
      continue;
    }
    const std::size_t length = word_length(head);
    if (length == 0) {
      pattern += head.front() == '%' ? "%%" : std::string(1, head.front());
      head.remove_prefix(1);
      continue;
    }
    const std::string_view after = head.substr(length);
    if (after.starts_with('@')) {
      pattern += "%u@%d";
      head.remove_prefix(length + 1);
      head.remove_prefix(word_length(head));
      continue;
    }
    if (after.starts_with('.') && word_length(after.substr(1)) > 0) {
      pattern += "%c";
      head.remove_prefix(length + 1);
      head.remove_prefix(word_length(head));
      continue;
    }
    pattern += escape_for(head.substr(0, length));
    head.remove_prefix(length);
  }
  return pattern;
}

// Where the first heading in a line begins; npos if there is none.
std::size_t heading_at(std::string_view line) {
  for (std::size_t at = 0; at < std::min<std::size_t>(line.size(), 500); ++at) {
    const std::string_view rest = line.substr(at);
    const bool may_begin = at == 0 || std::isalnum(static_cast<unsigned char>(line[at - 1])) == 0;
    if (may_begin && parse_heading(rest)) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<std::string> guess_prefix(std::span<const std::string> lines) {
  for (const std::string_view pattern : kKnown) {
    if (fits(pattern, lines)) return std::string(pattern);
  }
  for (const std::string& line : lines) {
    const std::size_t at = heading_at(line);
    if (at == std::string_view::npos) continue;
    std::string pattern = generalised(std::string_view(line).substr(0, at));
    if (pattern.size() < 500 && fits(pattern, lines)) return pattern;
  }
  return std::nullopt;
}

std::string describe_guess(std::span<const std::string> lines) {
  std::size_t csv = 0;
  std::size_t json = 0;
  for (const std::string& line : lines) {
    CsvScratch csv_scratch;
    JsonScratch json_scratch;
    Entry entry;
    csv += parse_csv_record(line, true, csv_scratch, entry) ? 1 : 0;
    json += parse_json_line(line, true, json_scratch, entry) ? 1 : 0;
  }
  if (csv * 2 > lines.size()) return "they are csvlog: that file's name should end in .csv";
  if (json * 2 > lines.size()) return "they are jsonlog: that file's name should end in .json";
  const auto prefix = guess_prefix(lines);
  if (!prefix) return "say what `SHOW log_line_prefix` says on that server";
  return "'" + *prefix + "' would fit: see what `SHOW log_line_prefix` says on that server";
}

}  // namespace pgconn::server_log
