// Lists of names in a message. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pgconn::text {

// The items, which are texts or convert to string_view, with `separator` between them; "" for none.
template <typename Items>
std::string joined(const Items& items, std::string_view separator = ", ") {
  std::string text;
  bool first = true;
  for (const auto& item : items) {
    if (!first) text += separator;
    text += std::string_view(item);
    first = false;
  }
  return text;
}

}  // namespace pgconn::text
