#include "exporter/diagnosis/readout.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace pgconn::exporter {

std::string Readout::Row::label(std::string_view name) const {
  const auto found = labels.find(name);
  return found != labels.end() ? found->second : "";
}

std::vector<Readout::Row> Readout::rows(std::string_view family) const {
  std::vector<Row> rows;
  for (const metrics::Family& one : batch_.families()) {
    if (one.descriptor->name != family) continue;
    const auto names = one.descriptor->labels();
    for (const metrics::Sample& sample : one.samples) {
      Row row;
      row.value = sample.value;
      for (std::size_t i = 0; i < names.size(); ++i) {
        row.labels.emplace(names[i], sample.labels.at(i));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::optional<double> Readout::value(std::string_view family,
                                     const std::map<std::string, std::string>& labels) const {
  for (const Row& row : rows(family)) {
    const bool fits = std::ranges::all_of(
        labels, [&row](const auto& label) { return row.label(label.first) == label.second; });
    if (fits) return row.value;
  }
  return std::nullopt;
}

std::string plain_number(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.15g", value);
  return text.data();
}

}  // namespace pgconn::exporter
