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

std::vector<std::string> read_texts(const Value& value, std::string_view allowed, std::size_t most,
                                    const TextRule& rule, Problems& problems) {
  std::vector<std::string> texts;
  if (!expect_list(value, allowed, problems)) return texts;
  const std::size_t count = value.node.children.size();
  if (count == 0 || count > most) {
    problems.add(value.node.line, value.path,
                 "has " + std::to_string(count) + " entries; allowed: " + std::string(allowed));
    return texts;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Value item = value.item(i);
    const auto text = read_text(item, rule.allowed, problems);
    if (text && rule.accepts(*text)) {
      texts.push_back(*text);
    } else if (text) {
      problems.add(item.node.line, item.path,
                   "is not allowed; allowed: " + std::string(rule.allowed));
    }
  }
  return texts;
}

}  // namespace pgconn::config
