#include "exporter/targets/assemble.h"

#include <cstddef>

#include "exporter/own_metrics/exporter_metrics.h"
#include "metrics/cap.h"
#include "probes/probe_metrics.h"

namespace pgconn::exporter {
namespace {

void add_target_info(const Surroundings& target, metrics::MetricBatch& batch) {
  if (!target.conninfo) return;
  const postgres::Endpoint& first = target.conninfo->endpoints().front();
  const auto& facts = target.facts;
  const std::string& first_host = first.host.empty() ? first.hostaddr : first.host;
  const std::string role(facts ? role_name(*facts) : "");
  batch.add(families::kTargetInfo, 1,
            {target.server ? target.server->first : first_host,
             target.server ? target.server->second : first.port, target.conninfo->database(),
             std::string(target.kind.name), facts ? facts->version : "", role});
}

}  // namespace

std::vector<std::pair<std::string, std::string>> labels_of(const config::Target& config) {
  std::vector<std::pair<std::string, std::string>> labels = {{"target", config.name}};
  labels.insert(labels.end(), config.labels.begin(), config.labels.end());
  return labels;
}

TargetResult assemble(Surroundings surroundings, metrics::MetricBatch collected,
                      const std::vector<CollectorReport>& reports, bool up) {
  const config::Target& config = surroundings.config;
  TargetResult result{labels_of(config), std::move(collected)};
  metrics::MetricBatch& batch = result.batch;
  batch.unify();
  batch.add(families::kUp, up ? 1 : 0);
  add_target_info(surroundings, batch);
  add_reports(reports, batch);
  for (const auto& [purpose, open] : surroundings.connections) {
    batch.add(families::kConnections, open, {purpose});
  }
  batch.add(families::kConnectionsMax, config.global.max_connections_per_target);
  if (config.path_idle_limit) {
    batch.add(probes::families::kPathLimit, Seconds(*config.path_idle_limit).count(),
              {"configured"});
  }
  // Unified too: a chain may contain a certificate twice, or a file two with the same serial
  // number, and Prometheus rejects a whole scrape for one duplicate series.
  surroundings.probed.unify();
  batch.append(std::move(surroundings.probed));
  const auto most = static_cast<std::size_t>(config.global.max_series_per_metric);
  for (const metrics::Capped& capped : metrics::cap(batch, most)) {
    batch.add(families::kCappedSeries, static_cast<double>(capped.series),
              {std::string(capped.descriptor->name)});
  }
  return result;
}

}  // namespace pgconn::exporter
