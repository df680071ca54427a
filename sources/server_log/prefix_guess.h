// What a log's lines are, when they are not what was configured. Pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace pgconn::server_log {

// A log_line_prefix that fits most of these lines; nothing if none is found. Known prefixes are
// tried first, then one is made from what the lines begin with.
std::optional<std::string> guess_prefix(std::span<const std::string> lines);

// The same as half a sentence for an operator. Holds nothing that the lines say.
std::string describe_guess(std::span<const std::string> lines);

}  // namespace pgconn::server_log
