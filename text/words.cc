#include "text/words.h"

#include <algorithm>

namespace pgconn::text {

std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n";
  std::vector<std::string_view> found;
  for (std::size_t start = text.find_first_not_of(kSpaces); start != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpaces, start), text.size());
    found.push_back(text.substr(start, end - start));
    start = text.find_first_not_of(kSpaces, end);
  }
  return found;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace pgconn::text
