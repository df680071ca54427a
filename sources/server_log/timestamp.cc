#include "sources/server_log/timestamp.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace pgconn::server_log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Zone {
  std::string_view name;
  int minutes;  // east of UTC
};

constexpr auto kZones = std::to_array<Zone>({
    {"UTC", 0},    {"GMT", 0},    {"Z", 0},      {"CET", 60},    {"CEST", 120},  {"WET", 0},
    {"WEST", 60},  {"EET", 120},  {"EEST", 180}, {"MSK", 180},   {"BST", 60},    {"MET", 60},
    {"MEST", 120}, {"EST", -300}, {"EDT", -240}, {"CST", -360},  {"CDT", -300},  {"MST", -420},
    {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"AKST", -540}, {"AKDT", -480}, {"HST", -600},
    {"AST", -240}, {"ADT", -180}, {"NST", -210}, {"NDT", -150},  {"JST", 540},   {"KST", 540},
    {"HKT", 480},  {"PKT", 300},  {"SAST", 120}, {"IST", 120},   {"IDT", 180},   {"AEST", 600},
    {"AEDT", 660}, {"ACST", 570}, {"ACDT", 630}, {"AWST", 480},  {"NZST", 720},  {"NZDT", 780},
});

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// text[from, from + count) as a number; -1 if not all are digits.
int number(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Length of the zone at the front: letters, or a sign and digits; 0 if neither.
std::size_t zone_length(std::string_view text) {
  std::size_t length = 0;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    length = 1;
    while (length < text.size() && length <= 6 && is_digit(text[length])) ++length;
    return length > 1 ? length : 0;
  }
  while (length < text.size() && length < 12 && is_letter(text[length])) ++length;
  return length;
}

std::optional<seconds> offset_of(std::string_view zone) {
  for (const Zone& known : kZones) {
    if (known.name == zone) return seconds(known.minutes * 60);
  }
  // +HH, +HHMM, +HHMMSS.
  if (zone.size() != 3 && zone.size() != 5 && zone.size() != 7) return std::nullopt;
  if (zone[0] != '+' && zone[0] != '-') return std::nullopt;
  int total = number(zone, 1, 2) * 3600;
  if (zone.size() >= 5) total += number(zone, 3, 2) * 60;
  if (zone.size() == 7) total += number(zone, 5, 2);
  return seconds(zone[0] == '-' ? -total : total);
}

constexpr bool has_shape(std::string_view text) {
  return text.size() >= 19 && text[4] == '-' && text[7] == '-' && text[10] == ' ' &&
         text[13] == ':' && text[16] == ':';
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  if (!has_shape(text)) return std::nullopt;
  const int year = number(text, 0, 4);
  const int month = number(text, 5, 2);
  const int day = number(text, 8, 2);
  const int hour = number(text, 11, 2);
  const int minute = number(text, 14, 2);
  const int second = number(text, 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  std::size_t at = 19;
  int millisecond = 0;
  if (text.size() >= at + 4 && text[at] == '.') {
    millisecond = number(text, at + 1, 3);
    if (millisecond < 0) return std::nullopt;
    at += 4;
  }
  if (at >= text.size() || text[at] != ' ') return std::nullopt;
  const std::string_view rest = text.substr(at + 1);
  const std::size_t length = zone_length(rest);
  if (length == 0) return std::nullopt;
  Timestamp result{at + 1 + length, std::nullopt};
  // A time_point of nanoseconds ends in the year 2262.
  if (year < 1970 || year > 2200) return result;
  if (const auto offset = offset_of(rest.substr(0, length))) {
    const std::chrono::sys_days date = std::chrono::year(year) /
                                       std::chrono::month(static_cast<unsigned>(month)) /
                                       std::chrono::day(static_cast<unsigned>(day));
    result.time =
        date + seconds(hour * 3600 + minute * 60 + second) + milliseconds(millisecond) - *offset;
  }
  return result;
}

std::optional<Timestamp> parse_epoch(std::string_view text) {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  const auto digits = static_cast<std::size_t>(end - text.data());
  // 13 digits of seconds are beyond the year 10000, and beyond what a time_point can hold.
  if (error != std::errc() || whole < 0 || digits > 11) return std::nullopt;
  if (text.size() < digits + 4 || text[digits] != '.') return std::nullopt;
  const int millisecond = number(text, digits + 1, 3);
  if (millisecond < 0) return std::nullopt;
  // A time_point of nanoseconds ends in the year 2262.
  constexpr std::int64_t kEnd = 9'000'000'000;
  Timestamp result{digits + 4, std::nullopt};
  if (whole < kEnd) result.time = TimePoint(seconds(whole)) + milliseconds(millisecond);
  return result;
}

}  // namespace pgconn::server_log
