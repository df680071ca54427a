#include "exporter/cli/vocabulary.h"

#include "collectors/kind.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "postgres/conninfo.h"
#include "probes/certificates/metrics.h"
#include "probes/probe_metrics.h"

namespace pgconn::exporter {

config::Vocabulary vocabulary() {
  config::Vocabulary words;
  // Set by us, by the exposition formats, or by Prometheus on every scraped series.
  words.reserved_labels = {"target", "le", "quantile", "job", "instance"};
  const auto reserve = [&words](std::span<const metrics::Descriptor* const> families) {
    for (const metrics::Descriptor* family : families) {
      for (std::string_view label : family->labels()) words.reserved_labels.emplace(label);
    }
  };
  reserve(target_families());
  reserve(exporter_families());
  reserve(probes::families::kAll);
  reserve(probes::certificate_families());
  for (const collectors::Collector* collector : collectors::all_collectors()) {
    words.collectors.emplace(collector->info().name);
    reserve(collector->info().descriptors);
  }
  words.check_dsn = postgres::check_dsn;
  return words;
}

}  // namespace pgconn::exporter
