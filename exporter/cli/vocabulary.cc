#include "exporter/cli/vocabulary.h"

#include <stdexcept>

#include "collectors/kind.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "postgres/conninfo.h"
#include "postgres/placeless_dsn.h"
#include "probes/certificates/metrics.h"
#include "probes/probe_metrics.h"
#include "sources/host/host_metrics.h"
#include "sources/server_log/log_families.h"
#include "sources/server_log/prefix.h"

namespace pgconn::exporter {

namespace {

std::optional<std::string> wrong_with_prefix(std::string_view text) {
  try {
    const server_log::Prefix prefix(text);
    return std::nullopt;
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace

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
  reserve(server_log::families::kAll);
  reserve(host::host_descriptors());
  words.check_dsn = postgres::check_dsn;
  words.check_placeless_dsn = postgres::check_placeless_dsn;
  words.complete_dsn = [](std::string_view dsn, const config::Place& place) {
    return postgres::dsn_at(dsn, {{place.host, "", std::to_string(place.port)}}, place.database);
  };
  words.check_line_prefix = wrong_with_prefix;
  return words;
}

}  // namespace pgconn::exporter
