#include "exporter/pages/times.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "text/ascii.h"

namespace pgconn::exporter {

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(rest.count());
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::string(date.data()).append(".").append(fraction).append("Z");
}

std::string incident_path(const probes::Incident& incident) {
  return "/incidents/" + percent_encoded(incident.target) + "/" + std::to_string(incident.id);
}

std::vector<std::shared_ptr<const probes::Incident>> newest_first(
    const std::vector<const TargetSnapshot*>& targets) {
  std::vector<std::shared_ptr<const probes::Incident>> all;
  for (const TargetSnapshot* target : targets) {
    all.insert(all.end(), target->incidents.rbegin(), target->incidents.rend());
  }
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a->began > b->began; });
  return all;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (text::is_letter_or_digit(c) || std::string_view("-_.~").find(c) != std::string::npos) {
      encoded += c;
      continue;
    }
    std::array<char, 4> hexadecimal{};
    std::snprintf(hexadecimal.data(), hexadecimal.size(), "%%%02X", static_cast<unsigned char>(c));
    encoded += hexadecimal.data();
  }
  return encoded;
}

}  // namespace pgconn::exporter
