#include "exporter/own_metrics/exporter_metrics.h"

#include <array>

namespace pgconn::exporter {

std::span<const metrics::Descriptor* const> target_families() {
  using namespace families;
  static constexpr std::array<const metrics::Descriptor*, 8> kList = {
      &kUp,           &kTargetInfo,     &kCollectorSuccess, &kCollectorDuration, &kCollectorSkipped,
      &kScrapeErrors, &kServerRestarts, &kServerMoves};
  return kList;
}

std::span<const metrics::Descriptor* const> exporter_families() {
  using namespace families;
  static constexpr std::array<const metrics::Descriptor*, 13> kList = {
      &kBuildInfo,      &kTargets,         &kReloadSuccessful, &kReloadTime,  &kHttpRequests,
      &kScrapeDuration, &kLogLinesDropped, &kWedgedLogins,     &kConnections, &kConnectionsMax,
      &kCappedSeries,   &kRepairedValues,  &kInternalErrors};
  return kList;
}

}  // namespace pgconn::exporter
