// Names in SQL. Pure; any thread.
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

}  // namespace pgconn::postgres
