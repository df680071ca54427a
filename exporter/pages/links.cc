#include "exporter/pages/links.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "text/ascii.h"

namespace pgconn::exporter {

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
