#include "text/ascii.h"

#include "tests/support/catch.h"

namespace pgconn::text {
namespace {

TEST_CASE("only ASCII has kinds, and each character its own") {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    CAPTURE(value);
    CHECK(is_digit(c) == (std::string_view("0123456789").find(c) != std::string_view::npos));
    CHECK(is_capital(c) ==
          (std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ").find(c) != std::string_view::npos));
    const bool small =
        std::string_view("abcdefghijklmnopqrstuvwxyz").find(c) != std::string_view::npos;
    CHECK(is_letter(c) == (is_capital(c) || small));
    CHECK(is_letter_or_digit(c) == (is_letter(c) || is_digit(c)));
  }
}

TEST_CASE("capitals are lowered, and no other byte is changed") {
  CHECK(lowered("Text/HTML;q=0.9 [Z]") == "text/html;q=0.9 [z]");
  CHECK(lowered("@[\xC3\x84\xFF") == "@[\xC3\x84\xFF");
}

TEST_CASE("texts that differ only in the case of ASCII letters are equal") {
  CHECK(equal_ignoring_case("", ""));
  CHECK(equal_ignoring_case("GZip", "gzip"));
  CHECK_FALSE(equal_ignoring_case("gzip", "gzi"));
  CHECK_FALSE(equal_ignoring_case("gzip", "gzio"));
  CHECK_FALSE(equal_ignoring_case("\xC3\x84", "\xC3\xA4"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));  // as far apart as a capital and its small letter
}

}  // namespace
}  // namespace pgconn::text
