// What one collection produced: families of samples. A batch is a value: built by one thread,
// moved or shared as const afterwards. It cleans label values on the way in, so that everything
// downstream may rely on valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
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

  std::uint64_t count() const { return buckets.empty() ? 0 : buckets.back().cumulative; }
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
  // Adds one sample. `labels` are the values in the descriptor's order. Invalid UTF-8 (and U+0000)
  // in a value is replaced by U+FFFD and counted. A counter that is NaN or negative is invalid and
  // is left out; an info is 1 whatever `value` says.
  // Throws std::logic_error if the number of labels is wrong, if the descriptor is a histogram's,
  // or if a different descriptor of the same name is in the batch already.
  void add(const Descriptor& descriptor, double value, std::vector<std::string> labels = {});

  // Adds one histogram. Throws std::logic_error as above, and if the bounds do not ascend from 0 or
  // above to +Inf, the counts fall, or the sum is NaN or negative.
  void add(const Descriptor& descriptor, HistogramValue value,
           std::vector<std::string> labels = {});

  // Makes the family exist with its HELP and TYPE even if it gets no sample.
  // Throws std::logic_error if a different descriptor of the same name is in the batch already.
  void declare(const Descriptor& descriptor);

  // Moves everything in `other` to the end of this batch; families of equal name are joined.
  // Throws std::logic_error if the two use one name for different things.
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
