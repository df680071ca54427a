#include "config/text_rules.h"

#include <algorithm>

#include "text/ascii.h"

namespace pgconn::config {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return text::is_letter_or_digit(c) || c == '_' || c == '.' || c == ':' || c == '-';
  });
}

bool is_absolute_path(std::string_view text) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; };
  return text.size() > 1 && text.size() < 4096 && text.front() == '/' &&
         std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace pgconn::config
