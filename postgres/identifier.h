// Names and texts in SQL. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pgconn::postgres {

// As SQL quotes a name: my"role is "my""role".
inline std::string quoted_identifier(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    text += c;
    if (c == '"') text += c;
  }
  return text + '"';
}

// As SQL quotes a text, whatever standard_conforming_strings says: it's is 'it''s', a\b is E'a\\b'.
inline std::string quoted_literal(std::string_view value) {
  std::string text = value.find('\\') == std::string_view::npos ? "'" : "E'";
  for (const char c : value) {
    text += c;
    if (c == '\'' || c == '\\') text += c;
  }
  return text + '\'';
}

}  // namespace pgconn::postgres
