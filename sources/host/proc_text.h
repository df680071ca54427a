// The kernel's small text files under /proc and /sys: reading one within bounds, and the words,
// lines and numbers in it. Any thread.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::host {

// What a file held, or why it could not be read.
struct FileText {
  std::string text{};
  std::string error{};  // with the path and the system's reason; empty if it was read
  bool ok() const { return error.empty(); }
};

// Reads a regular file to its end. One that is longer than `limit` bytes, or is a pipe or a device,
// counts as not readable. Never throws for a file.
FileText read_proc_file(const std::string& path, std::size_t limit = std::size_t{256} * 1024);

// The system's words for an errno value.
std::string errno_text(int number);

// The number that is the whole of `text`; nullopt if it is none or does not fit.
template <std::integral Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

// The number that stands alone in a file of /proc/sys, in front of its newline.
std::optional<std::int64_t> only_number(std::string_view text);

// The words of `text`, which spaces, tabs and newlines separate.
std::vector<std::string_view> words(std::string_view text);

// Takes the first line off `text`, without its newline.
std::string_view take_line(std::string_view& text);

// The number behind a key in a file of lines such as "oom_kill 3" or "MemTotal:  24683572 kB".
// The key stands at the start of a line, with its colon if it has one.
std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key);

}  // namespace pgconn::host
