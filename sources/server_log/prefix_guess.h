// Guesses the format of a log's lines when they do not match the configured one. Pure functions;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace pgconn::server_log {

// A log_line_prefix that fits most of these lines; nothing if none is found. Known prefixes are
// tried first, then one is derived from how the lines begin.
std::optional<std::string> guess_prefix(std::span<const std::string> lines);

// The same as half a sentence for an operator. Contains no text from the lines.
std::string describe_guess(std::span<const std::string> lines);

}  // namespace pgconn::server_log
