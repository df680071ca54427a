#include "config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "text/ascii.h"

namespace pgconn::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Unit {
  std::string_view name;
  Duration length;
};

constexpr std::array<Unit, 7> kUnits = {{{"y", days(365)},
                                         {"w", days(7)},
                                         {"d", days(1)},
                                         {"h", hours(1)},
                                         {"m", minutes(1)},
                                         {"s", seconds(1)},
                                         {"ms", milliseconds(1)}}};

// Removes and returns the longest beginning of `text` whose characters are (not) digits.
std::string_view take(std::string_view& text, bool digits) {
  std::size_t length = 0;
  while (length < text.size() && text::is_digit(text[length]) == digits) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

std::size_t find_unit(std::string_view name) {
  std::size_t index = 0;
  while (index < kUnits.size() && kUnits[index].name != name) ++index;
  return index;
}

}  // namespace

Duration parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (text.empty() || !text::is_digit(text.front()))
    throw std::invalid_argument("is not a duration");
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const std::string_view digits = take(text, true);
    const std::string_view name = take(text, false);
    if (digits.empty() || name.empty()) {
      throw std::invalid_argument("has no unit, write 15s or 15ms");
    }
    if (name.front() == '.') throw std::invalid_argument("has a fraction, write 1500ms for 1.5s");
    const std::size_t unit = find_unit(name);
    if (unit == kUnits.size()) {
      throw std::invalid_argument("has an unknown unit, the units are ms, s, m, h, d, w, y");
    }
    if (unit < next_unit) {
      throw std::invalid_argument("has its units out of order, write 1h30m, the largest first");
    }
    next_unit = unit + 1;
    std::int64_t count = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    const std::int64_t length = kUnits[unit].length.count();
    if (parsed.ec != std::errc() || count > (kMax - total) / length) {
      throw std::invalid_argument("is too long");
    }
    total += count * length;
  }
  return Duration(total);
}

std::string format_duration(Duration value) {
  if (value == Duration::zero()) return "0";
  std::string text;
  for (const Unit& unit : kUnits) {
    // Years and weeks only when nothing is left over: 30d reads better than 4w2d.
    if (unit.length >= days(7) && value % unit.length != Duration::zero()) continue;
    const auto count = value / unit.length;
    if (count == 0) continue;
    text += std::to_string(count);
    text += unit.name;
    value %= unit.length;
  }
  return text;
}

}  // namespace pgconn::config
