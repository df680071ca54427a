// The kernel's small text files under /proc and /sys: reading one with a size limit, and the
// numbers in it. Any thread.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/words.h"

namespace pgconn::host {

// What a file contained, or why it could not be read.
struct FileText {
  std::string text{};
  std::string error{};  // with the path and the system's reason; empty if it was read
  bool ok() const { return error.empty(); }
};

// Reads a regular file to its end. One that is longer than `limit` bytes, or is a pipe or a device,
// counts as not readable. Never throws because of a file.
FileText read_proc_file(const std::string& path, std::size_t limit = std::size_t{256} * 1024);

// The system's text for an errno value.
std::string errno_text(int number);

// `text` as a number; nullopt if it is not one or does not fit.
template <std::integral Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

// The only number in a file of /proc/sys, before the newline.
std::optional<std::int64_t> only_number(std::string_view text);

using text::take_line;
using text::words;

// The number after a key in a file of lines such as "oom_kill 3" or "MemTotal:  24683572 kB". The
// key starts a line, and includes its colon if it has one.
std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key);

}  // namespace pgconn::host
