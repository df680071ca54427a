#include "sources/host/proc_text.h"

#include <system_error>
#include <utility>

#include "files/bounded_file.h"

namespace pgconn::host {
std::string errno_text(int number) { return std::generic_category().message(number); }

FileText read_proc_file(const std::string& path, std::size_t limit) {
  try {
    std::optional<std::string> content = files::read_bounded_regular_file(path, limit);
    if (!content) return {"", path + " is not a regular file"};
    if (content->size() > limit) return {"", path + " is longer than expected"};
    return {std::move(*content), ""};
  } catch (const std::system_error& error) {
    return {"", "cannot read " + path + ": " + errno_text(error.code().value())};
  }
}

std::optional<std::int64_t> only_number(std::string_view text) {
  const auto found = words(text);
  return found.size() == 1 ? number<std::int64_t>(found.front()) : std::nullopt;
}

std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto found = words(take_line(text));
    if (found.size() >= 2 && found[0] == key) return number<std::uint64_t>(found[1]);
  }
  return std::nullopt;
}

}  // namespace pgconn::host
