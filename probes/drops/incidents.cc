#include "probes/drops/incidents.h"

#include <algorithm>
#include <utility>

namespace pgconn::probes {
namespace {

// A session that ended this way is opened again after at most a minute, plus the time to connect.
constexpr std::chrono::minutes kReopened(2);

}  // namespace

Evidence evidence_of(const Incident& incident) {
  Evidence evidence;
  evidence.drops = incident.drops;
  evidence.held = incident.held_before;
  evidence.silent = incident.silent_before;
  return evidence;
}

IncidentLog::IncidentLog(std::string target, Clock::duration together, std::size_t kept)
    : target_(std::move(target)), together_(together), kept_(std::max<std::size_t>(kept, 1)) {}

Incident& IncidentLog::add(Drop drop, int held, std::chrono::system_clock::time_point now) {
  Incident* incident = open_to(drop);
  if (incident == nullptr) {
    if (incidents_.size() == kept_) incidents_.pop_front();
    incident = &incidents_.emplace_back();
    incident->id = ++begun_;
    incident->target = target_;
    incident->began = now;
    incident->first = incident->last = drop.at;
    incident->held_before = held;
  }
  incident->first = std::min(incident->first, drop.at);
  incident->last = std::max(incident->last, drop.at);
  incident->drops.push_back(std::move(drop));
  return *incident;
}

Clock::time_point IncidentLog::over_at(const Incident& incident) const {
  if (incident.id != begun_) return incident.last;
  return std::min<Clock::time_point>(incident.last + together_, incident.first + kLongest);
}

Incident* IncidentLog::goes_on_with(const Drop& drop) {
  if (incidents_.empty() || !ended_for_idleness(drop)) return nullptr;
  Incident& latest = incidents_.back();
  const bool same = latest.decided && latest.verdict.cause == Cause::kIdleSessionTimeout;
  if (!same || drop.opened - latest.last > kReopened) return nullptr;
  latest.last = std::max(latest.last, drop.at);
  ++latest.turns;
  return &latest;
}

Incident* IncidentLog::find(std::uint64_t id) {
  const auto found = std::find_if(incidents_.begin(), incidents_.end(),
                                  [id](const Incident& incident) { return incident.id == id; });
  return found == incidents_.end() ? nullptr : &*found;
}

Incident* IncidentLog::open_to(const Drop& drop) {
  if (incidents_.empty()) return nullptr;
  Incident& latest = incidents_.back();
  // A drop may be reported a little later than one that was noticed after it: it can lie before the
  // last drop, or even the first.
  const bool late = drop.at - latest.last > together_ ||
                    cause_in_own_words(drop) != std::optional(latest.verdict.cause);
  const bool before = latest.first - drop.at > together_;
  const bool open = !before && drop.at - latest.first <= kLongest && !(latest.decided && late);
  return open ? &latest : nullptr;
}

}  // namespace pgconn::probes
