#include "metrics/instruments.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "metrics/cap.h"
#include "text/utf8.h"

namespace pgconn::metrics {
namespace {

using LabelValues = std::vector<std::string>;

// All series of one name. Only one of the maps is in use.
struct InstrumentFamily {
  const Descriptor* descriptor = nullptr;
  std::map<LabelValues, prometheus::Counter> counters;
  std::map<LabelValues, prometheus::Histogram> histograms;
};

bool are_bounds(const std::vector<double>& bounds) {
  const auto usable = [](double bound) { return std::isfinite(bound) && bound >= 0; };
  return std::ranges::all_of(bounds, usable) &&
         std::ranges::adjacent_find(bounds, std::greater_equal<>()) == bounds.end();
}

bool can_be_added(double value) { return std::isfinite(value) && value >= 0; }

HistogramValue value_of(const prometheus::Histogram& histogram) {
  const auto collected = histogram.Collect().histogram;
  HistogramValue value;
  value.sum = collected.sample_sum;
  for (const auto& bucket : collected.bucket) {
    value.buckets.push_back(
        {.upper_bound = bucket.upper_bound, .cumulative = bucket.cumulative_count});
  }
  return value;
}

}  // namespace

class Instruments::Impl {
 public:
  explicit Impl(std::size_t max_series) : max_series_(max_series) {}

  void count(const Descriptor& descriptor, LabelValues labels, double amount) {
    check(descriptor, Type::kCounter, labels);
    const std::lock_guard lock(mutex_);
    auto& counters = family(descriptor).counters;
    if (amount != 0) bound(descriptor, counters, labels);
    auto& counter = counters[std::move(labels)];
    if (can_be_added(amount)) counter.Increment(amount);
  }

  void observe(const Descriptor& descriptor, double value, const std::vector<double>& bounds,
               LabelValues labels) {
    check(descriptor, Type::kHistogram, labels);
    if (!are_bounds(bounds)) reject(descriptor, "the bounds of the buckets must ascend from 0");
    const std::lock_guard lock(mutex_);
    auto& histograms = family(descriptor).histograms;
    bound(descriptor, histograms, labels);
    auto& histogram = histograms.try_emplace(std::move(labels), bounds).first->second;
    if (can_be_added(value)) histogram.Observe(value);
  }

  MetricBatch collect() const {
    MetricBatch batch;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, family] : families_) {
      for (const auto& [labels, counter] : family.counters) {
        batch.add(*family.descriptor, counter.Value(), labels);
      }
      for (const auto& [labels, histogram] : family.histograms) {
        batch.add(*family.descriptor, value_of(histogram), labels);
      }
    }
    return batch;
  }

 private:
  [[noreturn]] static void reject(const Descriptor& descriptor, const char* problem) {
    throw std::logic_error(std::string(descriptor.name) + ": " + problem);
  }

  // Repairs label values here rather than in collect(): values that become equal are one series.
  static void check(const Descriptor& descriptor, Type type, LabelValues& labels) {
    if (descriptor.type != type) reject(descriptor, "the descriptor is of another type");
    if (labels.size() != descriptor.label_count) reject(descriptor, "wrong number of label values");
    for (std::string& label : labels) {
      if (!text::is_exposable(label)) label = text::repaired(label);
    }
  }

  InstrumentFamily& family(const Descriptor& descriptor) {
    InstrumentFamily& found = families_[descriptor.name];
    if (found.descriptor == nullptr) found.descriptor = &descriptor;
    if (!same_shape(*found.descriptor, descriptor)) {
      reject(descriptor, "two descriptors of this name differ in type or labels");
    }
    return found;
  }

  // Series beyond the limit count in `other`.
  void bound(const Descriptor& descriptor, const auto& series, LabelValues& labels) const {
    if (max_series_ == 0 || series.size() < max_series_ || series.contains(labels)) return;
    const auto names = descriptor.labels();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (is_open_ended(names[i])) labels[i] = kOther;
    }
  }

  std::size_t max_series_;
  mutable std::mutex mutex_;
  std::map<std::string_view, InstrumentFamily> families_;
};

Instruments::Instruments(std::size_t max_series) : impl_(std::make_unique<Impl>(max_series)) {}
Instruments::~Instruments() = default;

void Instruments::count(const Descriptor& counter, std::vector<std::string> labels, double amount) {
  impl_->count(counter, std::move(labels), amount);
}

void Instruments::observe(const Descriptor& histogram, double value,
                          const std::vector<double>& bounds, std::vector<std::string> labels) {
  impl_->observe(histogram, value, bounds, std::move(labels));
}

MetricBatch Instruments::collect() const { return impl_->collect(); }

}  // namespace pgconn::metrics
