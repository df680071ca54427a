// Merges series that turn out to be the same. Pure functions on values; any thread.
#pragma once

#include <vector>

#include "metrics/batch.h"

namespace pgconn::metrics {

// Folds the samples of equal labels into the first of them, by the descriptor's rule; of histograms
// the first stays as it is. The order of what remains is kept.
void fold_equal_series(Family& family);

}  // namespace pgconn::metrics
