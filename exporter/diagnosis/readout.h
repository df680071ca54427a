// Looks up samples by name, as a reader of the exposition does. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/batch.h"

namespace pgconn::exporter {

class Readout {
 public:
  struct Row {
    std::map<std::string, std::string, std::less<>> labels;
    double value = 0;

    std::string label(std::string_view name) const;  // empty if it has none
  };

  // `batch` must outlive it.
  explicit Readout(const metrics::MetricBatch& batch) : batch_(batch) {}

  // All samples of a family; none if it is not there.
  std::vector<Row> rows(std::string_view family) const;
  // The first sample with these labels.
  std::optional<double> value(std::string_view family,
                              const std::map<std::string, std::string>& labels = {}) const;

 private:
  const metrics::MetricBatch& batch_;
};

std::string plain_number(double value);  // "3", "0.25"

}  // namespace pgconn::exporter
