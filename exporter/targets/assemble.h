// From what one collection yielded to what is exposed of it: the families that every target has
// beside its collectors', the bound on cardinality, the labels. Pure; any thread.
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

// What one collection yielded. Immutable once made; shared by the scrapes that joined.
struct TargetResult {
  std::vector<std::pair<std::string, std::string>> labels;  // target=… and the static ones
  metrics::MetricBatch batch;
};

// What is told of a target beside what collectors made.
struct Surroundings {
  const config::Target& config;
  const collectors::TargetKind& kind;
  const std::optional<postgres::ConnInfo>& conninfo;    // nullopt: its dsn is of no use
  const std::optional<collectors::ServerFacts>& facts;  // as last known
  // The host and port that a session is open to; absent: none is, and the dsn's first are told.
  std::optional<std::pair<std::string, std::string>> server = {};
  std::map<std::string, int> connections = {};  // open, by purpose
  metrics::MetricBatch probed = {};             // gauges of the probes
};

// target=… and the configured ones.
std::vector<std::pair<std::string, std::string>> labels_of(const config::Target& config);

// All gauges and infos of a target: made unique, and bounded by max_series_per_metric. Counters are
// bounded as they grow, so the caller appends its own afterwards: a sum over a set that changes
// from scrape to scrape would be no counter.
TargetResult assemble(Surroundings surroundings, metrics::MetricBatch collected,
                      const std::vector<CollectorReport>& reports, bool up);

}  // namespace pgconn::exporter
