#include "metrics/series.h"

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>

namespace pgconn::metrics {
namespace {

std::size_t hash_of(const std::vector<std::string>& labels) {
  std::size_t hash = labels.size();
  for (const std::string& label : labels) {
    hash = hash * 1099511628211U + std::hash<std::string>{}(label);
  }
  return hash;
}

// fmax and fmin prefer a number over NaN, so that one NaN does not hide the rest.
double folded(Fold rule, double a, double b) {
  switch (rule) {
    case Fold::kSum:
      return a + b;
    case Fold::kMax:
      return std::fmax(a, b);
    case Fold::kMin:
      return std::fmin(a, b);
  }
  return a;
}

// Keeps the first series of each label set; `join` takes the kept one and its later equal.
template <typename Series, typename Join>
void keep_first(std::vector<Series>& series, Join join) {
  if (series.size() < 2) return;
  const auto hash = [&](std::size_t i) { return hash_of(series[i].labels); };
  const auto equal = [&](std::size_t a, std::size_t b) {
    return series[a].labels == series[b].labels;
  };
  std::unordered_set<std::size_t, decltype(hash), decltype(equal)> seen(series.size(), hash, equal);
  std::size_t kept = 0;  // the candidate is moved here first, so that the set can look at it
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i != kept) series[kept] = std::move(series[i]);
    const auto [first, is_new] = seen.insert(kept);
    if (is_new) {
      ++kept;
    } else {
      join(series[*first], series[kept]);
    }
  }
  series.resize(kept);
}

}  // namespace

void fold_equal_series(Family& family) {
  keep_first(family.samples, [rule = family.descriptor->fold](Sample& first, const Sample& later) {
    first.value = folded(rule, first.value, later.value);
  });
  keep_first(family.histograms, [](HistogramSample&, const HistogramSample&) {});
}

}  // namespace pgconn::metrics
