// What is checked in a file's bytes before a YAML parser sees them. Pure; any thread.
#pragma once

#include <string_view>

#include "config/problems.h"

namespace pgconn::config {

// Throws ConfigError through `problems` for a text above kMaxFileBytes, one that is not UTF-8, a
// control character (the parser takes 0x04 for the end of the file) or a tab in the indentation.
void check_text(std::string_view text, Problems& problems);

}  // namespace pgconn::config
