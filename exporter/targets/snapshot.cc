#include "exporter/targets/snapshot.h"

#include <algorithm>
#include <utility>

namespace pgconn::exporter {
namespace {

using probes::Incident;

bool is_same(const Incident& one, const Incident& other) {
  return one.id == other.id && one.in_all() == other.in_all() && one.decided == other.decided &&
         one.counted == other.counted && one.verdict.cause == other.verdict.cause &&
         one.verdict.scope == other.verdict.scope && one.verdict.because == other.verdict.because;
}

}  // namespace

Trouble Trouble::of(const postgres::PgError& error) {
  return {error.what(), std::string(postgres::advice(error))};
}

const std::vector<std::shared_ptr<const Incident>>& IncidentCopies::of(
    const std::deque<Incident>& incidents) {
  std::vector<std::shared_ptr<const Incident>> copies;
  copies.reserve(incidents.size());
  auto before = copies_.begin();  // ids ascend in both
  for (const Incident& incident : incidents) {
    before = std::find_if(before, copies_.end(),
                          [&](const auto& copy) { return copy->id >= incident.id; });
    const bool unchanged = before != copies_.end() && is_same(**before, incident);
    copies.push_back(unchanged ? *before : std::make_shared<const Incident>(incident));
  }
  copies_ = std::move(copies);
  return copies_;
}

void add_probes(const probes::Prober& prober, TargetSnapshot& snapshot) {
  for (const auto& [probe, last] : prober.recorder().last()) {
    if (last.success) snapshot.probes[probe] = {*last.success, last.seconds};
  }
  snapshot.certificates = prober.certificates().sources();
  snapshot.tls = prober.certificates().tls();
  if (const probes::IdleLadder* ladder = prober.ladder()) {
    snapshot.idle = IdleBracket{ladder->longest_survived(), ladder->shortest_dropped()};
  }
}

}  // namespace pgconn::exporter
