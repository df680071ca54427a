#include "metrics/batch.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "metrics/series.h"
#include "text/utf8.h"

namespace pgconn::metrics {
namespace {

[[noreturn]] void reject(const Descriptor& descriptor, const char* problem) {
  throw std::logic_error(std::string(descriptor.name) + ": " + problem);
}

bool is_well_formed(const HistogramValue& value) {
  double bound = -1;
  std::uint64_t count = 0;
  for (const auto& bucket : value.buckets) {
    // Negated, so that a NaN bound fails.
    if (!(bucket.upper_bound > bound) || bucket.cumulative < count) return false;
    if (bucket.upper_bound < 0) return false;
    bound = bucket.upper_bound;
    count = bucket.cumulative;
  }
  return std::isinf(bound) && value.sum >= 0;
}

template <typename T>
void move_to_end(std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

Family& MetricBatch::family(const Descriptor& descriptor) {
  const auto same_name = [&](const Family& family) {
    return family.descriptor == &descriptor || family.descriptor->name == descriptor.name;
  };
  // From the end: a collector usually adds to the family it made last.
  const auto found = std::find_if(families_.rbegin(), families_.rend(), same_name);
  if (found == families_.rend()) {
    return families_.emplace_back(
        Family{.descriptor = &descriptor, .samples = {}, .histograms = {}});
  }
  if (found->descriptor != &descriptor && !same_shape(*found->descriptor, descriptor)) {
    reject(descriptor, "two descriptors of this name differ in type or labels");
  }
  return *found;
}

std::vector<std::string> MetricBatch::clean(const Descriptor& descriptor,
                                            std::vector<std::string> labels) {
  if (labels.size() != descriptor.label_count) reject(descriptor, "wrong number of label values");
  for (std::string& label : labels) {
    if (text::is_exposable(label)) continue;
    label = text::repaired(label);
    ++repaired_;
  }
  return labels;
}

void MetricBatch::add(const Descriptor& descriptor, double value, std::vector<std::string> labels) {
  if (descriptor.type == Type::kHistogram) reject(descriptor, "a histogram needs buckets");
  Family& target = family(descriptor);
  labels = clean(descriptor, std::move(labels));
  if (descriptor.type == Type::kCounter && !(value >= 0)) return;
  if (descriptor.type == Type::kInfo) value = 1;
  target.samples.push_back({.labels = std::move(labels), .value = value});
}

void MetricBatch::add(const Descriptor& descriptor, HistogramValue value,
                      std::vector<std::string> labels) {
  if (descriptor.type != Type::kHistogram) reject(descriptor, "only a histogram has buckets");
  if (!is_well_formed(value)) reject(descriptor, "buckets must ascend to +Inf and sum be positive");
  Family& target = family(descriptor);
  target.histograms.push_back(
      {.labels = clean(descriptor, std::move(labels)), .value = std::move(value)});
}

void MetricBatch::declare(const Descriptor& descriptor) { family(descriptor); }

void MetricBatch::append(MetricBatch&& other) {
  for (Family& added : other.families_) {
    Family& target = family(*added.descriptor);
    move_to_end(added.samples, target.samples);
    move_to_end(added.histograms, target.histograms);
  }
  repaired_ += std::exchange(other.repaired_, 0);
  other.families_.clear();
}

void MetricBatch::unify() {
  for (Family& family : families_) fold_equal_series(family);
}

}  // namespace pgconn::metrics
