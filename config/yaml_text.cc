#include "config/yaml_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "config/duration.h"
#include "config/yaml_document.h"

namespace pgconn::config {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none: no overlong
// forms, no surrogates, nothing above U+10FFFF.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool malformed = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0) ||
                         (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90);
  return malformed ? 0 : length;
}

// What is wrong with the character at `at`, if anything; `in_indentation` is the state before it.
std::optional<std::string_view> wrong_with(std::string_view text, std::size_t at,
                                           bool in_indentation) {
  const char c = text[at];
  if (c == '\t' && in_indentation) return "a tab in the indentation; indent with spaces";
  if (c == '\t' || c == '\n') return std::nullopt;
  if (c == '\r' && text.substr(at + 1, 1) == "\n") return std::nullopt;
  if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F) {
    return "a control character; allowed: printable UTF-8 text";
  }
  if (utf8_length(text.substr(at)) == 0) {
    return "bytes that are not UTF-8; save the file as UTF-8";
  }
  return std::nullopt;
}

}  // namespace

void check_text(std::string_view text, Problems& problems) {
  if (text.size() > kMaxFileBytes)
    problems.fail(0, "", "is larger than 1 MiB; allowed: up to 1 MiB");
  int line = 1;
  bool in_indentation = true;
  for (std::size_t at = 0; at < text.size(); at += utf8_length(text.substr(at))) {
    if (const auto wrong = wrong_with(text, at, in_indentation)) problems.fail(line, "", *wrong);
    if (text[at] == '\n') {
      ++line;
      in_indentation = true;
    } else if (text[at] != ' ') {
      in_indentation = false;
    }
  }
}

}  // namespace pgconn::config
