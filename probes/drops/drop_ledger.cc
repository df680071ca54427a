#include "probes/drops/drop_ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "postgres/backoff.h"
#include "postgres/sqlstate.h"
#include "probes/drops/drop_metrics.h"
#include "probes/drops/remains.h"
#include "probes/drops/server_marks.h"
#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kAcquaintance(5);  // between attempts to learn what the server is, at first
constexpr minutes kLongestWait(1);   // and when they go on failing
constexpr std::size_t kMostRemains = 1000;
constexpr std::size_t kSamplesKept = 16;

// A flag that says so, for as long as this lives.
class UnderWay {
 public:
  explicit UnderWay(bool& flag) : flag_(flag) { flag_ = true; }
  ~UnderWay() { flag_ = false; }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  bool& flag_;
};

// By the system's clock.
double unix_time(Clock::time_point when) {
  const auto date = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(date - (Clock::now() - when)).count();
}

}  // namespace

DropLedger::DropLedger(std::string target, postgres::Dialer& dialer,
                       metrics::Instruments& instruments, HeldConnections& held,
                       LedgerListeners listeners)
    : target_(target),
      dialer_(dialer),
      instruments_(instruments),
      held_(held),
      listeners_(std::move(listeners)),
      log_(std::move(target)) {
  for (const Cause cause : kCauses) {
    for (const Scope scope : kScopes) {
      instruments_.count(families::kIncidents,
                         {std::string(to_string(cause)), std::string(to_string(scope))}, 0);
    }
  }
}

void DropLedger::learn(const ServerMarks& marks, int server_version) {
  if (!under_investigation_.empty()) return;  // what was known before the drop is the evidence
  known_ = learned(known_, marks);
  server_version_ = server_version;
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
  Incident& incident = log_.add(std::move(drop), held_before, std::chrono::system_clock::now());
  if (incident.drops.size() == 1) incident.silent_before = silent_before;
  if (incident.decided) {  // late, and its own words say why
    count_rest(incident, evidence_of(incident));
    return std::nullopt;
  }
  if (!under_investigation_.insert(incident.id).second) return std::nullopt;
  return incident.id;
}

asio::awaitable<void> DropLedger::see_out(std::uint64_t id) {
  for (;;) {
    const Incident* const incident = log_.find(id);
    if (incident == nullptr) co_return;
    // A drop is told a little after it was noticed.
    const Clock::time_point over = log_.over_at(*incident) + kArriving;
    if (Clock::now() >= over) {
      if (incident->in_all() > incident->told) listeners_.over(*incident);
      co_return;
    }
    co_await sleep_until(dialer_.executor(), over);
  }
}

void DropLedger::give_up(std::uint64_t id) {
  under_investigation_.erase(id);
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

// One at a time, however many incidents end before the server lets anybody in.
asio::awaitable<void> DropLedger::get_acquainted() {
  if (acquainting_) co_return;
  const UnderWay under_way(acquainting_);
  postgres::Backoff backoff(kAcquaintance, kLongestWait);
  for (;;) {
    if (!known_.start_time) co_await meet_server();
    if (known_.start_time) co_await clear_remains();
    if (known_.start_time && remains_.empty()) co_return;
    backoff.failed(Clock::now(), postgres::dice());
    co_await sleep_until(dialer_.executor(), backoff.next_try());
  }
}

asio::awaitable<void> DropLedger::meet_server() {
  try {
    const ServerLook seen = co_await look(Clock::now() + kOneAttempt);
    if (under_investigation_.empty()) known_ = seen.marks;  // else it is the evidence
  } catch (const postgres::PgError& error) {
    if (error.reason() == postgres::Reason::kStopped) throw;
  }
}

asio::awaitable<void> DropLedger::clear_remains() {
  if (remains_.empty()) co_return;
  std::vector<Drop> remains = std::exchange(remains_, {});
  const bool cleared = co_await end_remains(dialer_, remains, Clock::now() + kOneAttempt);
  if (!cleared) std::move(remains.begin(), remains.end(), std::back_inserter(remains_));
}

// Those that were not counted yet.
void DropLedger::count_rest(Incident& incident, const Evidence& evidence) {
  while (incident.counted < evidence.drops.size()) {
    const Drop& drop = evidence.drops[incident.counted++];  // never twice, also if this fails
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
  last = std::max(last, unix_time(drop.at));
}

void DropLedger::conclude(Incident& incident, const Evidence& evidence, Verdict verdict) {
  incident.verdict = std::move(verdict);
  incident.decided = true;
  incident.told = incident.drops.size();
  under_investigation_.erase(incident.id);
  instruments_.count(families::kIncidents, {std::string(to_string(incident.verdict.cause)),
                                            std::string(to_string(incident.verdict.scope))});
  known_ = evidence.after;  // absent until somebody learns it anew
  remember(evidence);
  listeners_.concluded(incident);
}

void DropLedger::remember(const Evidence& evidence) {
  for (const Drop& drop : evidence.drops) {
    if (remains_.size() < kMostRemains && leaves_remains(drop)) remains_.push_back(drop);
  }
  const Clock::time_point at = evidence.drops.front().at;
  for (const auto silence : unanswered_silences(evidence)) keep(unanswered_, {at, silence});
  for (const auto silence : doubtful_silences(evidence)) keep(doubtful_, {at, silence});
}

void DropLedger::keep(std::deque<Silence>& samples, Silence latest) {
  samples.push_back(latest);
  if (samples.size() > kSamplesKept) samples.pop_front();
}

void DropLedger::add_gauges(metrics::MetricBatch& batch) const {
  for (const auto& [cause, time] : last_drop_) batch.add(families::kLastDrop, time, {cause});
}

}  // namespace pgconn::probes
