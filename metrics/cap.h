// The bound on cardinality. Pure functions on values; any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "metrics/batch.h"

namespace pgconn::metrics {

struct Capped {
  const Descriptor* descriptor = nullptr;
  std::size_t series = 0;  // how many series were folded away or left out
};

// The label value that stands for everything folded together.
inline constexpr std::string_view kOther = "other";

// Limits each family that has an open-ended label (is_open_ended) to `max_series` series plus the
// folded rest: the largest stay (for Fold::kMin the smallest), ties broken by label values so that
// the choice is the same in every scrape. In the rest, open-ended label values become `other` and
// samples are folded by the descriptor's rule, so sums over the family stay true. A real value that
// is called `other` too is folded in with them.
//
// Counters and histograms are the exception: a sum over a changing set is not a counter (it would
// fall, and increase() would see a jump), so the rest is left out. The same goes for infos, since a
// fact about `other` would be false.
//
// Returns one entry for each family that had to be cut. `max_series` 0 means no bound.
std::vector<Capped> cap(MetricBatch& batch, std::size_t max_series);

}  // namespace pgconn::metrics
