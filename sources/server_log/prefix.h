// log_line_prefix: what precedes every line of the stderr format. A Prefix is compiled once and is
// immutable afterwards; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/server_log/entry.h"
#include "sources/server_log/severity.h"

namespace pgconn::server_log {

// The head of one line: the fields that the prefix has, and what follows it. Views into the line.
struct Head {
  std::optional<std::string_view> user;
  std::optional<std::string_view> database;
  std::string_view sqlstate;
  std::string_view backend_type;
  std::int32_t pid = 0;
  std::optional<TimePoint> time;
  Heading heading;
  std::string_view rest;  // the text after the heading
};

class Prefix {
 public:
  // Compiles a value of log_line_prefix as written in postgresql.conf: every escape of PostgreSQL
  // 13 to 19, with padding. Throws std::invalid_argument with a message for operators if it has an
  // escape that PostgreSQL does not know, or is longer than 1000 bytes.
  explicit Prefix(std::string_view pattern);

  // Reads the head of one line (without its newline); nothing if the line does not begin with this
  // prefix and a heading. Names may contain anything: if several readings are possible, the one
  // with the shortest names wins. Time is linear in the line's first kilobytes: the number of tries
  // is limited.
  std::optional<Head> match(std::string_view line) const;

  const std::string& pattern() const { return pattern_; }
  // Whether lines have these: without %e, events can only be recognised by English text.
  bool has_sqlstate() const { return has_sqlstate_; }
  bool has_time() const { return has_time_; }
  bool has_pid() const { return has_pid_; }

 private:
  struct Segment {
    char escape = 0;      // 0: a literal
    int width = 0;        // of padding; negative: padded on the right
    std::string literal;  // text of a literal
  };
  class Walk;

  void add_literal(char c);

  std::string pattern_;
  std::vector<Segment> segments_;
  std::optional<std::size_t> quit_;  // %q: how many segments a process without a session writes
  bool has_names_ = false;
  bool has_sqlstate_ = false;
  bool has_time_ = false;
  bool has_pid_ = false;
};

}  // namespace pgconn::server_log
