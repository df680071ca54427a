// What one collection produced: families of samples. A batch is a value: built by one thread,
// moved or shared as const afterwards. It cleans label values on the way in, so that everything
// downstream may take them for valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/descriptor.h"

namespace pgconn::metrics {

struct Sample {
  std::vector<std::string> labels;  // values in the descriptor's order
  double value = 0;
};

struct HistogramValue {
  struct Bucket {
    double upper_bound = 0;        // inclusive; the last one is +Inf
    std::uint64_t cumulative = 0;  // observations at or below the bound
  };
  std::vector<Bucket> buckets;
  double sum = 0;
};

struct HistogramSample {
  std::vector<std::string> labels;
  HistogramValue value;
};

struct Family {
  const Descriptor* descriptor = nullptr;  // must outlive the batch: descriptors are constants
  std::vector<Sample> samples;
  std::vector<HistogramSample> histograms;  // only for Type::kHistogram
};

class MetricBatch {
 public:
  // Adds one sample. `labels` are the values in the descriptor's order. Invalid UTF-8 in a value
  // is replaced by U+FFFD and counted. Throws std::logic_error if the number of labels is wrong.
  void add(const Descriptor& descriptor, double value, std::vector<std::string> labels = {});
  void add(const Descriptor& descriptor, HistogramValue value, std::vector<std::string> labels = {});

  // Makes the family exist with its HELP and TYPE even if it gets no sample.
  void declare(const Descriptor& descriptor);

  // Moves everything of `other` to the end of this batch; same families are joined.
  void append(MetricBatch&& other);

  // Makes every series unique: samples with equal labels are folded by the descriptor's rule
  // (histograms: the first stays). Called once, before exposition. Idempotent.
  void unify();

  const std::vector<Family>& families() const { return families_; }
  std::vector<Family>& families() { return families_; }
  bool empty() const { return families_.empty(); }

  // Label values that had to be repaired since the batch was made.
  std::size_t repaired_values() const { return repaired_; }

 private:
  Family& family(const Descriptor& descriptor);
  std::vector<std::string> clean(const Descriptor& descriptor, std::vector<std::string> labels);

  std::vector<Family> families_;
  std::size_t repaired_ = 0;
};

}  // namespace pgconn::metrics
