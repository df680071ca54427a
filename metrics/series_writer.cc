#include "metrics/series_writer.h"

#include <cstddef>

#include "metrics/text_format.h"

namespace pgconn::metrics {

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += "=\"";
  append_escaped(labels, value);
  labels += '"';
}

void SeriesWriter::write(const Sample& sample) {
  set_labels(sample.labels);
  write_line("", labels_, sample.value);
}

void SeriesWriter::write(const HistogramSample& sample) {
  set_labels(sample.labels);
  for (const auto& bucket : sample.value.buckets) write_bucket(bucket);
  write_line("_sum", labels_, sample.value.sum);
  write_line("_count", labels_, sample.value.count());
}

void SeriesWriter::set_labels(const std::vector<std::string>& values) {
  labels_ = prefix_;
  for (std::size_t i = 0; i < descriptor_.label_count; ++i) {
    append_label(labels_, descriptor_.label_names[i], values[i]);
  }
}

void SeriesWriter::write_bucket(const HistogramValue::Bucket& bucket) {
  bound_.clear();
  if (format_ == Format::kOpenMetrics) {
    append_canonical_bound(bound_, bucket.upper_bound);
  } else {
    append_number(bound_, bucket.upper_bound);
  }
  bucket_labels_ = labels_;
  append_label(bucket_labels_, "le", bound_);
  write_line("_bucket", bucket_labels_, bucket.cumulative);
}

template <typename Number>
void SeriesWriter::write_line(std::string_view suffix, std::string_view labels, Number value) {
  out_ += descriptor_.name;
  out_ += suffix;
  if (!labels.empty()) {
    out_ += '{';
    out_ += labels;
    out_ += '}';
  }
  out_ += ' ';
  append_number(out_, value);
  out_ += '\n';
}

}  // namespace pgconn::metrics
