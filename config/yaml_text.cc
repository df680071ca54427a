#include "config/yaml_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "config/duration.h"
#include "config/yaml_document.h"
#include "text/utf8.h"

namespace pgconn::config {
namespace {

// What is wrong with the character at `at`, if anything; `in_indentation` as of before it.
std::optional<std::string_view> wrong_with(std::string_view text, std::size_t at,
                                           bool in_indentation) {
  const char c = text[at];
  if (c == '\t' && in_indentation) return "a tab in the indentation; indent with spaces";
  if (c == '\t' || c == '\n') return std::nullopt;
  if (c == '\r' && text.substr(at + 1, 1) == "\n") return std::nullopt;
  if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F) {
    return "a control character; allowed: printable UTF-8 text";
  }
  if (text::utf8_sequence_length(text.substr(at)) == 0) {
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
  for (std::size_t at = 0; at < text.size(); at += text::utf8_sequence_length(text.substr(at))) {
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
