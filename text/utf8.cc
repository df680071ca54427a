#include "text/utf8.h"

#include <cstdio>

namespace pgconn::text {

namespace {

// For characters of two or three bytes.
std::string escaped(std::string_view sequence) {
  unsigned point = 0;
  for (const char c : sequence) point = point << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", point & (sequence.size() == 2 ? 0x7FFU : 0xFFFFU));
  return text;
}

}  // namespace

std::string repaired(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0 || text.front() == '\0') {
      out += kReplacement;
      text.remove_prefix(1);
    } else {
      const std::string_view sequence = text.substr(0, length);
      out += deceives(sequence) ? escaped(sequence) : std::string(sequence);
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace pgconn::text
