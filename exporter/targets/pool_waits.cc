#include "exporter/targets/pool_waits.h"

#include <algorithm>
#include <vector>

#include "collectors/pgbouncer/pools.h"

namespace pgconn::exporter {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kSampled = metrics::histogram(
    "pgconn_pgbouncer_pool_wait_sampled_seconds",
    "How long the first client in the pool's queue had waited, each time the probe waits asked; 0 "
    "where none waited.",
    {"database", "user"});
constexpr auto kPeak = metrics::gauge("pgconn_pgbouncer_pool_wait_max_seconds",
                                      "The longest of these waits since the last scrape.",
                                      {"database", "user"}, Unit::kSeconds, Fold::kMax);
constexpr auto kQueue = metrics::gauge("pgconn_pgbouncer_pool_waiting_clients_max",
                                       "The most clients in the pool's queue that the probe waits "
                                       "has seen since the last scrape.",
                                       {"database", "user"}, Unit::kNone, Fold::kMax);

constexpr const metrics::Descriptor* kFamilies[] = {&kSampled, &kPeak, &kQueue};

// Between two scrapes. A peer that invents pools does not use up memory.
constexpr std::size_t kMostPools = 10'000;

const std::vector<double>& buckets() {
  static const std::vector<double> bounds = {0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60};
  return bounds;
}

}  // namespace

std::span<const metrics::Descriptor* const> pool_wait_families() { return kFamilies; }

void PoolWaits::observe(const postgres::Rows& answer) {
  for (collectors::PoolWait& pool : collectors::pool_waits(answer)) {
    instruments_.observe(kSampled, pool.seconds, buckets(), {pool.database, pool.user});
    std::pair<std::string, std::string> key(std::move(pool.database), std::move(pool.user));
    if (peaks_.size() >= kMostPools && !peaks_.contains(key)) continue;
    Peak& peak = peaks_[std::move(key)];
    peak.seconds = std::max(peak.seconds, pool.seconds);
    peak.waiting = std::max(peak.waiting, pool.waiting);
  }
}

void PoolWaits::add_peaks(metrics::MetricBatch& batch) {
  for (const auto& [pool, peak] : std::exchange(peaks_, {})) {
    batch.add(kPeak, peak.seconds, {pool.first, pool.second});
    batch.add(kQueue, peak.waiting, {pool.first, pool.second});
  }
}

}  // namespace pgconn::exporter
