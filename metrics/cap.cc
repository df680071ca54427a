#include "metrics/cap.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include "metrics/series.h"

namespace pgconn::metrics {
namespace {

bool has_open_ended_label(const Descriptor& descriptor) {
  return std::ranges::any_of(descriptor.labels(), is_open_ended);
}

// The weight of a series: the heaviest stay.
double weight(const Sample& sample, Fold rule) {
  if (std::isnan(sample.value)) return -std::numeric_limits<double>::infinity();
  return rule == Fold::kMin ? -sample.value : sample.value;
}

double weight(const HistogramSample& sample, Fold) {
  return static_cast<double>(sample.value.count());
}

// Takes all but the `max_series` heaviest out of `series` and returns them; both keep their
// order.
template <typename Series>
std::vector<Series> cut(std::vector<Series>& series, std::size_t max_series, Fold rule) {
  if (series.size() <= max_series) return {};
  std::vector<Series*> ranked;
  ranked.reserve(series.size());
  for (Series& one : series) ranked.push_back(&one);
  const auto last_kept = ranked.begin() + static_cast<std::ptrdiff_t>(max_series);
  std::nth_element(ranked.begin(), last_kept, ranked.end(), [rule](const auto* a, const auto* b) {
    const double weight_a = weight(*a, rule);
    const double weight_b = weight(*b, rule);
    return weight_a != weight_b ? weight_a > weight_b : a->labels < b->labels;
  });
  std::sort(ranked.begin(), last_kept);
  std::sort(last_kept, ranked.end());

  const auto take = [](auto from, auto to) {
    std::vector<Series> taken;
    taken.reserve(static_cast<std::size_t>(to - from));
    std::transform(from, to, std::back_inserter(taken),
                   [](Series* one) { return std::move(*one); });
    return taken;
  };
  std::vector<Series> kept = take(ranked.begin(), last_kept);
  std::vector<Series> rest = take(last_kept, ranked.end());
  series = std::move(kept);
  return rest;
}

// Puts `rest` back under the label value `other`.
void fold_rest(Family& family, std::vector<Sample> rest) {
  const auto names = family.descriptor->labels();
  for (Sample& sample : rest) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (is_open_ended(names[i])) sample.labels[i] = kOther;
    }
    family.samples.push_back(std::move(sample));
  }
  fold_equal_series(family);
}

std::size_t cap_family(Family& family, std::size_t max_series) {
  if (std::max(family.samples.size(), family.histograms.size()) <= max_series) return 0;
  // Equal series would compete with each other.
  fold_equal_series(family);
  std::vector<Sample> rest = cut(family.samples, max_series, family.descriptor->fold);
  const std::size_t cut_off =
      rest.size() + cut(family.histograms, max_series, family.descriptor->fold).size();
  if (family.descriptor->type == Type::kGauge && !rest.empty()) fold_rest(family, std::move(rest));
  return cut_off;
}

}  // namespace

std::vector<Capped> cap(MetricBatch& batch, std::size_t max_series) {
  std::vector<Capped> capped;
  if (max_series == 0) return capped;
  for (Family& family : batch.families()) {
    if (!has_open_ended_label(*family.descriptor)) continue;
    const std::size_t series = cap_family(family, max_series);
    if (series > 0) capped.push_back({.descriptor = family.descriptor, .series = series});
  }
  return capped;
}

}  // namespace pgconn::metrics
