#include "probes/drops/drop_ledger.h"

#include <algorithm>
#include <utility>

#include "postgres/backoff.h"
#include "postgres/sqlstate.h"
#include "probes/drops/drop_metrics.h"
#include "probes/drops/investigation.h"

namespace pgconn::probes {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kAcquaintance(5);  // between attempts to learn what the server is, at first
constexpr minutes kLongestWait(1);   // and when they go on failing
// For the log and the host to be read before a drop is counted undecided.
constexpr std::chrono::milliseconds kLastLook(700);

// Sets a flag for as long as this lives.
class UnderWay {
 public:
  explicit UnderWay(bool& flag) : flag_(flag) { flag_ = true; }
  ~UnderWay() { flag_ = false; }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  bool& flag_;
};

// Registers an investigation for as long as this lives.
class Shown {
 public:
  using Registry = std::map<std::uint64_t, const Investigation*>;
  Shown(Registry& all, std::uint64_t incident, const Investigation& investigation)
      : all_(all), incident_(incident) {
    all_[incident_] = &investigation;
  }
  ~Shown() { all_.erase(incident_); }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

 private:
  Registry& all_;
  std::uint64_t incident_;
};

// By the system's clock.
double unix_time(const async::TimeSource& time, Clock::time_point when) {
  const auto date = time.date().time_since_epoch();
  return std::chrono::duration<double>(date - (time.now() - when)).count();
}

}  // namespace

DropLedger::DropLedger(std::string target, postgres::Connector& connector, async::TimeSource& time,
                       metrics::Instruments& instruments, HeldConnections& held,
                       LedgerListeners listeners, std::vector<EvidenceSource*> sources)
    : time_(time),
      instruments_(instruments),
      held_(held),
      listeners_(std::move(listeners)),
      log_(std::move(target)),
      server_(connector, time),
      sources_(std::move(sources)),
      remains_(connector, time) {
  for (const Cause cause : kCauses) {
    for (const Scope scope : kScopes) {
      instruments_.count(families::kIncidents,
                         {std::string(to_string(cause)), std::string(to_string(scope))}, 0);
    }
  }
}

// What was known before the drop is evidence.
void DropLedger::begin(const Incident& incident) {
  under_investigation_.insert(incident.id);
  server_.freeze(true);
}

void DropLedger::end(const Incident& incident) {
  under_investigation_.erase(incident.id);
  server_.freeze(!under_investigation_.empty());
}

std::optional<std::uint64_t> DropLedger::enter(Drop drop) {
  if (const Incident* const loop = log_.goes_on_with(drop)) {
    count(drop, loop->verdict);
    listeners_.decided(drop, loop->verdict.cause);
    return std::nullopt;
  }
  const HeldConnections::Count left = held_.count();
  const int held_before = left.all + (drop.probe == ProbeKind::kLongquery ? 0 : 1);
  const int silent_before = left.silent + (drop.probe == ProbeKind::kIdle ? 1 : 0);
  Incident& incident = log_.add(std::move(drop), held_before, time_.date());
  if (incident.drops.size() == 1) incident.silent_before = silent_before;
  if (incident.decided) {  // late, and its own message says why
    count_rest(incident, evidence_of(incident));
    return std::nullopt;
  }
  if (under_investigation_.contains(incident.id)) return std::nullopt;
  begin(incident);
  return incident.id;
}

asio::awaitable<void> DropLedger::investigate(std::uint64_t id) {
  // The reference stays valid: no later incident begins before this one is decided.
  Incident& incident = *log_.find(id);
  Investigation investigation(incident, {time_, held_, server_, path_, sources_});
  const Shown shown(investigations_, id, investigation);
  const auto count_decided = [&](const Evidence& evidence) { count_rest(incident, evidence); };
  co_await investigation.run(count_decided);
  const Evidence evidence = investigation.complete();
  conclude(incident, evidence, attribute(evidence));
  for (const Drop& drop : evidence.drops) {
    listeners_.decided(drop, attribute(evidence, drop).cause);
  }
}

asio::awaitable<void> DropLedger::count_in_time(std::uint64_t id) {
  for (;;) {
    const Incident* const incident = log_.find(id);
    if (incident == nullptr || incident->decided) co_return;
    const Clock::time_point due = due_to_count(*incident);
    co_await time_.sleep_until(due - kLastLook);
    for (EvidenceSource* source : sources_) co_await source->look(due);
    co_await time_.sleep_until(due);
    count_due(id);
  }
}

// When the next drop has to be counted. One that is still to come is due later than this.
Clock::time_point DropLedger::due_to_count(const Incident& incident) const {
  if (incident.counted == incident.drops.size()) return time_.now() + kCountedWithin;
  const Clock::time_point due = incident.drops[incident.counted].at + kCountedWithin;
  const auto investigation = investigations_.find(incident.id);
  if (investigation == investigations_.end()) return due;
  return std::max(due, investigation->second->worth_waiting_until());
}

void DropLedger::count_due(std::uint64_t id) {
  Incident* const incident = log_.find(id);
  const auto investigation = investigations_.find(id);
  if (incident == nullptr || incident->decided) return;
  if (due_to_count(*incident) > time_.now()) return;  // since then there is something to wait for
  const bool begun = investigation != investigations_.end();
  const Evidence evidence = begun ? investigation->second->complete() : evidence_of(*incident);
  count_rest(*incident, evidence, time_.now() - kCountedWithin);
}

asio::awaitable<void> DropLedger::see_out(std::uint64_t id) {
  for (;;) {
    const Incident* const incident = log_.find(id);
    if (incident == nullptr) co_return;
    // A drop is reported a little after it was noticed.
    const Clock::time_point over = log_.over_at(*incident) + kArriving;
    if (time_.now() >= over) {
      if (incident->in_all() > incident->told) listeners_.over(*incident);
      co_return;
    }
    co_await time_.sleep_until(over);
  }
}

void DropLedger::give_up(std::uint64_t id) {
  Incident* const incident = log_.find(id);
  if (incident == nullptr || incident->decided) return;
  const Evidence nothing = evidence_of(*incident);
  const Verdict verdict{Cause::kUnknown, Scope::kOne, "it could not be investigated"};
  while (incident->counted < incident->drops.size()) {
    count(incident->drops[incident->counted++], verdict);
  }
  conclude(*incident, nothing, verdict);
  for (const Drop& drop : nothing.drops) listeners_.decided(drop, Cause::kUnknown);
}

// Runs once at a time, however many incidents end before the server lets us in.
asio::awaitable<void> DropLedger::get_acquainted() {
  if (acquainting_) co_return;
  const UnderWay under_way(acquainting_);
  postgres::Backoff backoff(kAcquaintance, kLongestWait);
  for (;;) {
    if (!server_.has_met()) co_await server_.meet(time_.now() + kOneAttempt);
    if (server_.has_met()) co_await remains_.clear(time_.now() + kOneAttempt);
    if (server_.has_met() && remains_.empty()) co_return;
    backoff.failed(time_.now(), postgres::dice());
    co_await time_.sleep_until(backoff.next_try());
  }
}

// Counts the drops that were not counted yet.
void DropLedger::count_rest(Incident& incident, const Evidence& evidence,
                            Clock::time_point noticed_by) {
  while (incident.counted < evidence.drops.size() &&
         evidence.drops[incident.counted].at <= noticed_by) {
    const Drop& drop = evidence.drops[incident.counted++];  // never twice, even if this fails
    const Verdict verdict = attribute(evidence, drop);
    count(drop, verdict);
    if (incident.decided) listeners_.decided(drop, verdict.cause);
  }
}

void DropLedger::count(const Drop& drop, const Verdict& verdict) {
  const std::string cause(to_string(verdict.cause));
  instruments_.count(families::kDrops,
                     {std::string(to_string(drop.probe)), cause,
                      std::string(postgres::sqlstate_label(drop.error.sqlstate()))});
  double& last = last_drop_[cause];
  last = std::max(last, unix_time(time_, drop.at));
}

void DropLedger::conclude(Incident& incident, const Evidence& evidence, Verdict verdict) {
  incident.verdict = std::move(verdict);
  incident.decided = true;
  incident.told = incident.drops.size();
  end(incident);
  instruments_.count(families::kIncidents, {std::string(to_string(incident.verdict.cause)),
                                            std::string(to_string(incident.verdict.scope))});
  server_.replace(evidence.after);  // absent until learned again
  for (const Drop& drop : evidence.drops) remains_.add(drop);
  path_.remember(evidence);
  listeners_.concluded(incident);
}

void DropLedger::add_gauges(metrics::MetricBatch& batch) const {
  for (const auto& [cause, time] : last_drop_) batch.add(families::kLastDrop, time, {cause});
}

}  // namespace pgconn::probes
