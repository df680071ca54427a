// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. Databases
// return names in any encoding (above all SQL_ASCII), and one bad byte would spoil the whole
// scrape. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgconn::text {

// Length in bytes (1 to 4) of the well-formed sequence at the front of `text`; 0 if there is none.
constexpr std::size_t utf8_sequence_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  // The second byte is where overlong forms, surrogates and values above U+10FFFF show.
  const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

// Whether a well-formed sequence is a C1 control (U+0080 to U+009F), which terminals obey, or a
// direction mark (U+202A to U+202E, U+2066 to U+2069), which makes a text look different from what
// it is.
constexpr bool deceives(std::string_view sequence) {
  const auto byte = [sequence](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (sequence.size() != 3 || byte(0) != 0xE2) return false;
  return (byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE) ||
         (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);
}

// True if `text` can be exposed as it is: well-formed, without deceptive characters, and without
// U+0000, which the formats allow but parsers written in C take for the end.
constexpr bool is_exposable(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0 || text.front() == '\0' || deceives(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

// `text` with U+FFFD instead of U+0000 and of each byte that is not part of a well-formed sequence,
// and with escapes such as \u202e instead of deceptive characters.
std::string repaired(std::string_view text);

}  // namespace pgconn::text
