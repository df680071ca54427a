// The words that PostgreSQL puts in front of the parts of an entry in the `stderr` format, in all
// languages that it is translated into. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sources/server_log/entry.h"

namespace pgconn::server_log {

// What a line of the stderr format begins with, after the prefix.
struct Heading {
  enum class Part { kMessage, kDetail, kOther };  // kOther: HINT, QUERY, CONTEXT, STATEMENT, …
  Part part = Part::kMessage;
  Severity severity = Severity::kUnknown;  // of a message
  std::size_t length = 0;                  // of word, colon and spaces
};

// Reads the heading at the front of `text`; nothing if there is no known one.
std::optional<Heading> parse_heading(std::string_view text);

// Reads one word and a colon that could be a heading in an unknown language: at most 40 bytes,
// without control characters, followed by two spaces.
std::optional<Heading> parse_unknown_heading(std::string_view text);

// The severity that a whole word stands for, as csvlog and jsonlog write it; kUnknown if none.
Severity severity_of(std::string_view word);

}  // namespace pgconn::server_log
