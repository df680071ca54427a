#include "exporter/sources/host_source.h"

#include <algorithm>
#include <utility>

#include "sources/host/evidence.h"
#include "sources/host/host_metrics.h"

namespace pgconn::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPatience(500);  // for one look
constexpr std::size_t kLooksKept = 16;
// A kill is counted at once; our connections notice it soon afterwards.
constexpr seconds kNoticed(2);

}  // namespace

HostSource::HostSource(Background& background, async::TimeSource& time, host::HostPaths paths)
    : Source(background, time), reader_(std::move(paths)) {}

void HostSource::learn(const host::ServerClaims& claims) {
  const std::lock_guard lock(mutex_);
  claims_ = claims;
  has_claims_ = true;
}

metrics::MetricBatch HostSource::metrics() const {
  const std::lock_guard lock(mutex_);
  return batch_;
}

void HostSource::add_to(probes::Evidence& evidence, const probes::Incident& incident) const {
  const std::lock_guard lock(mutex_);
  if (looks_.size() < 2 || looks_.back().at < incident.began) return;
  const auto is_before = [&](const Look& look) { return look.at < incident.began - kNoticed; };
  // The last look before the incident began, or the earliest one kept.
  auto before = std::find_if_not(looks_.begin(), looks_.end(), is_before);
  if (before != looks_.begin()) --before;
  const host::OomEvidence kills = oom_between(before->reading, looks_.back().reading);
  evidence.oom_kill_counted = server_was_oom_killed(kills);
  if (evidence.oom_kill_counted != true) return;
  probes::Testimony testimony;
  testimony.source = "host";
  testimony.at = looks_.back().at;
  testimony.words = "the kernel killed a process of the server for want of memory";
  evidence.testimonies.push_back(std::move(testimony));
}

void HostSource::read(bool) {
  host::ServerClaims claims;
  {
    const std::lock_guard lock(mutex_);
    if (!has_claims_) return;  // it is not known yet whose host it is
    claims = claims_;
  }
  host::HostReading reading = reader_.read(claims, std::chrono::steady_clock::now() + kPatience);
  const Date at = std::chrono::system_clock::now();
  ledger_.take(reading);
  metrics::MetricBatch batch;
  add_host_metrics(reading, ledger_.counts(), batch);
  reading.sockets.reset();
  const std::lock_guard lock(mutex_);
  batch_ = std::move(batch);
  looks_.push_back({at, std::move(reading)});
  if (looks_.size() > kLooksKept) looks_.pop_front();
}

}  // namespace pgconn::exporter
