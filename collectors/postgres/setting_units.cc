#include "collectors/postgres/setting_units.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

namespace pgconn::collectors {
namespace {

constexpr std::string_view kSpace = " \t\n\r\f\v";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

template <std::size_t N>
std::optional<double> find(const std::pair<std::string_view, double> (&units)[N],
                           std::string_view name) {
  for (const auto& [unit, value] : units) {
    if (unit == name) return value;
  }
  return std::nullopt;
}

// The number at the front of `text`, which is moved behind it. The server takes C's notation for
// integers too, where 010 is 8.
std::optional<double> take_number(std::string_view& text) {
  const std::string copy(text);
  char* end = nullptr;
  double value = static_cast<double>(std::strtoll(copy.c_str(), &end, 0));
  if (*end == '.' || *end == 'e' || *end == 'E') value = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - copy.c_str()));
  return value;
}

}  // namespace

std::optional<double> seconds_in(std::string_view unit) {
  constexpr std::pair<std::string_view, double> units[] = {
      {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  return find(units, unit);
}

std::optional<double> bytes_in(std::string_view unit) {
  std::size_t count = 1;
  const auto [end, error] = std::from_chars(unit.data(), unit.data() + unit.size(), count);
  if (error == std::errc()) unit.remove_prefix(static_cast<std::size_t>(end - unit.data()));
  constexpr std::pair<std::string_view, double> units[] = {
      {"B", 1}, {"kB", 0x1p10}, {"MB", 0x1p20}, {"GB", 0x1p30}, {"TB", 0x1p40}};
  const auto bytes = find(units, unit);
  return bytes ? std::optional(*bytes * static_cast<double>(count)) : std::nullopt;
}

std::optional<double> parse_time(std::string_view text, std::string_view base_unit) {
  text = trim(text);
  const auto number = take_number(text);
  const auto base = seconds_in(base_unit);
  text = trim(text);
  const auto unit = text.empty() ? base : seconds_in(text);
  if (!number || !base || !unit) return std::nullopt;
  return std::nearbyint(*number * *unit / *base) * *base;
}

}  // namespace pgconn::collectors
