#include "metrics/text_format.h"

#include <charconv>
#include <cmath>

namespace pgconn::metrics {
namespace {

constexpr double kLargestExactInteger = 9007199254740992;  // 2^53

// Appends what std::to_chars makes of the arguments: at most a double in full precision.
template <typename... Arguments>
void append_chars(std::string& out, Arguments... arguments) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, arguments...);
  out.append(buffer, result.ptr);
}

// True if `value` is NaN or infinite and has been written.
bool append_non_finite(std::string& out, double value) {
  if (std::isfinite(value)) return false;
  out += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return true;
}

template <bool kEscapeQuote>
void append_escaping(std::string& out, std::string_view text) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '\\' && c != '\n' && !(kEscapeQuote && c == '"')) continue;
    out.append(text, done, i - done);
    out += '\\';
    out += c == '\n' ? 'n' : c;
    done = i + 1;
  }
  out.append(text, done, text.size() - done);
}

}  // namespace

void append_number(std::string& out, double value) {
  if (append_non_finite(out, value)) return;
  if (std::abs(value) <= kLargestExactInteger && value == std::trunc(value)) {
    append_chars(out, static_cast<std::int64_t>(value));
  } else {
    append_chars(out, value);
  }
}

void append_number(std::string& out, std::uint64_t value) { append_chars(out, value); }

void append_canonical_bound(std::string& out, double bound) {
  if (append_non_finite(out, bound)) return;
  const double size = std::abs(bound);
  if (size != 0 && (size < 1e-4 || size >= 1e6)) {
    append_chars(out, bound, std::chars_format::scientific);
    return;
  }
  const std::size_t start = out.size();
  append_chars(out, bound, std::chars_format::fixed);
  if (out.find('.', start) == std::string::npos) out += ".0";
}

void append_escaped(std::string& out, std::string_view text) { append_escaping<true>(out, text); }

void append_escaped_text_help(std::string& out, std::string_view text) {
  append_escaping<false>(out, text);
}

}  // namespace pgconn::metrics
