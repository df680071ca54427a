// Batches to text: Prometheus text format 0.0.4 and OpenMetrics 1.0. Pure functions; any thread.
// The output is always valid: HELP and TYPE once per family, families of equal name joined across
// batches, everything escaped, no series twice.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/batch.h"

namespace pgconn::metrics {

enum class Format { kText, kOpenMetrics };

// A batch and the labels that each of its series carries besides its own (target, cluster, …).
// `labels` must have valid names; values may be any text. Of two labels with one name the first
// counts, and a descriptor's own label before both.
struct LabeledBatch {
  std::vector<std::pair<std::string, std::string>> labels;
  const MetricBatch* batch = nullptr;
};

// Writes all batches, each of them unified (MetricBatch::unify). Families are sorted by name,
// series come in the order they were added. Of equal series in different batches, the first stays.
// Of families with different types under one name (in OpenMetrics a gauge `x` and a counter
// `x_total`), the first type stays.
std::string expose(std::span<const LabeledBatch> batches, Format format);

// The Content-Type header for a format.
std::string_view content_type(Format format);

// Chooses by an Accept header as Prometheus sends it: OpenMetrics only when it is asked for by
// name, with a version that this writes (1.0.0 or 0.0.1 or none) and at least the preference of
// text/plain. Everything else, including headers that cannot be read, gets text.
Format negotiate(std::string_view accept);

// True if an Accept-Encoding header allows gzip (q=0 forbids it).
bool accepts_gzip(std::string_view accept_encoding);

// Compresses into a gzip member at a fast level. Throws std::runtime_error if zlib fails.
std::string gzip(std::string_view data);

}  // namespace pgconn::metrics
