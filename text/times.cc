#include "text/times.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace pgconn::text {

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::floor<std::chrono::milliseconds>(time - whole);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(rest.count());
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::string(date.data()).append(".").append(fraction).append("Z");
}

std::string spoken(std::chrono::milliseconds duration) {
  const auto ms = std::max<std::chrono::milliseconds::rep>(duration.count(), 0);
  if (ms < 1) return "under 1 ms";
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 10000) return std::to_string(ms / 1000) + "." + std::to_string(ms / 100 % 10) + " s";
  const auto seconds = ms / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 120 * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

std::string spoken_seconds(double seconds) {
  constexpr double kMost = 1e12;  // 30,000 years: beyond any count that is meant
  if (std::isnan(seconds)) return "unknown";
  return spoken(std::chrono::milliseconds(
      static_cast<std::int64_t>(std::round(std::clamp(seconds, 0.0, kMost) * 1000))));
}

}  // namespace pgconn::text
