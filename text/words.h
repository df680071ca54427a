// The words and lines of a text, as the kernel's files have them. Pure functions; any thread. What
// they return are views into the text.
#pragma once

#include <string_view>
#include <vector>

namespace pgconn::text {

// Separated by spaces, tabs and newlines.
std::vector<std::string_view> words(std::string_view text);

// Removes the first line from `text` and returns it without its newline.
std::string_view take_line(std::string_view& text);

}  // namespace pgconn::text
