#include "config/web_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "text/ascii.h"

namespace pgconn::config {
namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"ns", 1},
                                                                        {"us", 1e3},
                                                                        {"\u00b5s", 1e3},
                                                                        {"\u03bcs", 1e3},
                                                                        {"ms", 1e6},
                                                                        {"s", 1e9},
                                                                        {"m", 60e9},
                                                                        {"h", 3600e9}}};

bool is_of_number(char c) { return text::is_digit(c) || c == '.'; }

// Removes and returns the longest prefix of `text` that is (not) part of a number.
std::string_view take(std::string_view& text, bool of_number) {
  std::size_t length = 0;
  while (length < text.size() && is_of_number(text[length]) == of_number) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

}  // namespace

nanoseconds parse_go_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return nanoseconds::zero();
  if (text.empty()) throw std::invalid_argument("is not a duration");
  double total = 0;
  while (!text.empty()) {
    const std::string_view digits = take(text, true);
    const std::string_view name = take(text, false);
    double count = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count,
                                        std::chars_format::fixed);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
      throw std::invalid_argument("is not a duration");
    }
    if (name.empty()) throw std::invalid_argument("has no unit, write 15s or 15ms");
    const auto unit =
        std::ranges::find(kUnits, name, [](const auto& known) { return known.first; });
    if (unit == kUnits.end()) {
      throw std::invalid_argument("has an unknown unit, the units are ns, us, ms, s, m, h");
    }
    total += count * unit->second;
  }
  constexpr double kMost = 9.2e18;  // 292 years
  if (total > kMost) throw std::invalid_argument("is too long");
  const nanoseconds length(std::llround(total));
  return negative ? -length : length;
}

std::optional<std::string> read_web_text(const Value& value, std::string_view allowed,
                                         Problems& problems) {
  // Without quotes, `1` is a number for YAML but text for other readers of this format.
  if (value.node.kind == YamlNode::Kind::kText) return value.node.text;
  return read_text(value, allowed, problems);  // says what it is instead
}

std::optional<bool> read_web_boolean(const Value& value, Problems& problems) {
  static constexpr std::array<std::string_view, 11> kTrue = {
      "true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "on", "On", "ON"};
  static constexpr std::array<std::string_view, 11> kFalse = {
      "false", "False", "FALSE", "no", "No", "NO", "n", "N", "off", "Off", "OFF"};
  if (value.node.kind == YamlNode::Kind::kText && !value.node.quoted) {
    if (std::ranges::find(kTrue, value.node.text) != kTrue.end()) return true;
    if (std::ranges::find(kFalse, value.node.text) != kFalse.end()) return false;
  }
  return read_boolean(value, "true or false", problems);
}

}  // namespace pgconn::config
