#include "text/utf8.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/catch.h"

namespace pgconn::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Encodes any value below 2^21, even those that UTF-8 forbids, in `length` bytes.
std::string encode(std::uint32_t code_point, int length) {
  if (length == 1) return {static_cast<char>(code_point)};
  std::string bytes;
  for (int i = 1; i < length; ++i) {
    bytes.insert(bytes.begin(), static_cast<char>(0x80 | (code_point & 0x3F)));
    code_point >>= 6;
  }
  const std::uint32_t lead = (0xFF00U >> length) & 0xFF;
  bytes.insert(bytes.begin(), static_cast<char>(lead | code_point));
  return bytes;
}

int shortest_length(std::uint32_t code_point) {
  return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

TEST_CASE("UTF-8: every code point but the surrogates is taken in its shortest form alone") {
  // The largest value that each length can hold; four bytes reach beyond U+10FFFF.
  constexpr std::uint32_t limits[] = {0, 0x7F, 0x7FF, 0xFFFF, 0x1FFFFF};
  std::size_t wrong = 0;
  for (int length = 1; length <= 4; ++length) {
    for (std::uint32_t code_point = 0; code_point <= limits[length]; ++code_point) {
      const bool valid = length == shortest_length(code_point) && code_point <= 0x10FFFF &&
                         (code_point < 0xD800 || code_point > 0xDFFF);
      const std::size_t expected = valid ? static_cast<std::size_t>(length) : 0;
      if (utf8_sequence_length(encode(code_point, length)) != expected) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("UTF-8: a truncated sequence is not one") {
  for (const std::string& whole : {encode(0xE9, 2), encode(0x20AC, 3), encode(0x1F418, 4)}) {
    for (std::size_t length = 1; length < whole.size(); ++length) {
      CHECK(utf8_sequence_length(std::string_view(whole).substr(0, length)) == 0);
      CHECK(utf8_sequence_length(whole.substr(0, length) + "abcd") == 0);
    }
  }
  CHECK(utf8_sequence_length("") == 0);
}

TEST_CASE("UTF-8: good text is left as it is, control characters too") {
  for (std::string_view text : {"", "orders", "a\nb\tc\x01\x7F", "caf\xC3\xA9 \xF0\x9F\x90\x98"}) {
    CHECK(is_exposable(text));
    CHECK(repaired(text) == text);
  }
}

TEST_CASE("UTF-8: each bad byte becomes one replacement character and its neighbours stay") {
  const std::string r(kReplacement);
  CHECK(repaired("a\xFF"
                 "b") == "a" + r + "b");
  CHECK(repaired("caf\xE9") == "caf" + r);                    // Latin-1
  CHECK(repaired("\xC0\xAF") == r + r);                       // overlong slash
  CHECK(repaired("\xED\xA0\x80") == r + r + r);               // surrogate
  CHECK(repaired("\xF4\x90\x80\x80") == r + r + r + r);       // above U+10FFFF
  CHECK(repaired("\xE2\x82") == r + r);                       // truncated
  CHECK(repaired("\xE2\x82\xC3\xA9") == r + r + "\xC3\xA9");  // truncated by a good one
}

TEST_CASE("UTF-8: C1 controls and direction marks are escaped, and their neighbours stay") {
  const auto is_told = [](std::uint32_t point) {
    return (point >= 0x80 && point <= 0x9F) || (point >= 0x202A && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
  };
  std::size_t wrong = 0;
  for (std::uint32_t point = 1; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    if (is_exposable(encode(point, shortest_length(point))) == is_told(point)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(repaired("a" + encode(0x9B, 2) + "31m") == "a\\u009b31m");
  CHECK(repaired("x" + encode(0x202E, 3) + encode(0x2066, 3) + "y") == "x\\u202e\\u2066y");
}

TEST_CASE("UTF-8: U+0000 is replaced, because parsers take it for the end") {
  const std::string text("a\0b", 3);
  CHECK_FALSE(is_exposable(text));
  CHECK(repaired(text) == "a" + std::string(kReplacement) + "b");
}

}  // namespace
}  // namespace pgconn::text
