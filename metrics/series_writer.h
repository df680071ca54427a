// Writes the lines of one family's series. Used by expose() during one call; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metrics/batch.h"
#include "metrics/exposition.h"

namespace pgconn::metrics {

// Appends `name="value"`, after a comma unless it is the first of `labels`.
void append_label(std::string& labels, std::string_view name, std::string_view value);

class SeriesWriter {
 public:
  // Appends to `out`. `prefix` are the labels, rendered, that come before each series' own. All
  // three must outlive the writer.
  SeriesWriter(std::string& out, const Descriptor& descriptor, std::string_view prefix,
               Format format)
      : out_(out), descriptor_(descriptor), prefix_(prefix), format_(format) {}
  SeriesWriter(const SeriesWriter&) = delete;
  SeriesWriter& operator=(const SeriesWriter&) = delete;

  void write(const Sample& sample);
  void write(const HistogramSample& sample);

 private:
  void set_labels(const std::vector<std::string>& values);
  void write_bucket(const HistogramValue::Bucket& bucket);
  template <typename Number>
  void write_line(std::string_view suffix, std::string_view labels, Number value);

  std::string& out_;
  const Descriptor& descriptor_;
  std::string_view prefix_;
  Format format_;
  // Scratch for the current series, kept to reuse its memory.
  std::string labels_;
  std::string bucket_labels_;
  std::string bound_;
};

}  // namespace pgconn::metrics
