// Turns the result of one collection into what is exposed: adds the families that every target has
// besides its collectors', limits cardinality, and adds the labels. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/kind.h"
#include "collectors/server_facts.h"
#include "config/config.h"
#include "exporter/targets/collection.h"
#include "metrics/batch.h"
#include "postgres/conninfo.h"

namespace pgconn::exporter {

// The result of one collection. Immutable once made; shared by the scrapes that joined it.
struct TargetResult {
  std::vector<std::pair<std::string, std::string>> labels;  // target=… and the static ones
  metrics::MetricBatch batch;
};

// What is exposed for a target besides its collectors' metrics.
struct Surroundings {
  const config::Target& config;
  const collectors::TargetKind& kind;
  const std::optional<postgres::ConnInfo>& conninfo;    // nullopt: its dsn is invalid
  const std::optional<collectors::ServerFacts>& facts;  // as last known
  // The host and port of the open session; absent: none is open, and the dsn's first are shown.
  std::optional<std::pair<std::string, std::string>> server = {};
  std::map<std::string, int> connections = {};  // open, by purpose
  metrics::MetricBatch probed = {};             // gauges of the probes
};

// target=… and the configured ones.
std::vector<std::pair<std::string, std::string>> labels_of(const config::Target& config);

// All gauges and infos of a target: unified, and limited by max_series_per_metric. Counters are
// limited as they grow, so the caller appends its own afterwards: a sum over a set that changes
// from scrape to scrape would not be a counter.
TargetResult assemble(Surroundings surroundings, metrics::MetricBatch collected,
                      const std::vector<CollectorReport>& reports, bool up);

}  // namespace pgconn::exporter
