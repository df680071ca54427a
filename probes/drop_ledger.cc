#include "probes/drop_ledger.h"

#include <algorithm>

#include "probes/probe_metrics.h"
#include "probes/server_marks.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A postmaster needs a moment to notice that a backend died; until then nothing seems to be wrong.
constexpr milliseconds kNoticing(400);
// Drops of one event arrive within this time; the scope is not told before.
constexpr milliseconds kArriving(400);
constexpr seconds kPatience(10);     // for a server that restarts or recovers
constexpr milliseconds kRetry(250);  // between attempts to connect meanwhile
constexpr seconds kOneAttempt(3);    // of connecting and asking
constexpr seconds kAcquaintance(5);  // between attempts to learn what the server is
constexpr seconds kSurvivors(8);     // for the others to be asked once more

}  // namespace

DropLedger::DropLedger(std::string target, postgres::Dialer& dialer,
                       metrics::Instruments& instruments, LedgerSurroundings surroundings)
    : target_(target),
      dialer_(dialer),
      instruments_(instruments),
      surroundings_(std::move(surroundings)),
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
  known_ = marks;
  server_version_ = server_version;
}

std::optional<std::uint64_t> DropLedger::enter(Drop drop) {
  const int held_before = surroundings_.held() + 1;
  Incident& incident = log_.add(std::move(drop), held_before, std::chrono::system_clock::now());
  if (incident.decided) {  // late, and perhaps of another cause than the others
    Evidence evidence = last_evidence_.value_or(evidence_of(incident));
    evidence.drops = incident.drops;
    const Drop& late = incident.drops.back();
    count(late, attribute(evidence, late));
    return std::nullopt;
  }
  if (!under_investigation_.insert(incident.id).second) return std::nullopt;
  return incident.id;
}

// Tries until a new session answers, or what the attempts were told decides the matter.
asio::awaitable<void> DropLedger::look_at_server(Evidence& evidence, Clock::time_point until) {
  for (;;) {
    std::optional<postgres::PgError> failure;
    try {
      postgres::ConnectOptions options;
      options.purpose = "diagnose";
      const auto deadline = std::min(until, Clock::now() + kOneAttempt);
      const postgres::Dialer::Session session = co_await dialer_.dial(options, deadline);
      evidence.after = co_await read_server_marks(*session.connection, deadline);
      evidence.reconnected = true;
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
      failure = error;
    }
    if (!failure) co_return;
    evidence.failed_reconnects.push_back(*failure);
    if (attribute(evidence).cause != Cause::kUnknown) co_return;
    if (Clock::now() + kRetry >= until) break;
    co_await sleep_until(dialer_.executor(), Clock::now() + kRetry);
  }
  evidence.reconnected = false;
}

asio::awaitable<void> DropLedger::investigate(std::uint64_t id) {
  const Clock::time_point first = log_.find(id)->first;
  const bool has_words = !log_.find(id)->drops.front().error.sqlstate().empty();
  if (!has_words) co_await sleep_until(dialer_.executor(), first + kNoticing);
  Evidence gathered;
  gathered.drops = log_.find(id)->drops;
  gathered.before = known_;
  gathered.server_version = server_version_;
  co_await look_at_server(gathered, first + kPatience);
  const auto evidence_now = [&] {
    Evidence evidence = gathered;
    const Incident& incident = *log_.find(id);
    evidence.drops = incident.drops;
    evidence.held = incident.held_before;
    evidence.survivors = surroundings_.survivors(first);
    return evidence;
  };
  Evidence evidence = evidence_now();
  // What the path did is told by who survived: wait until the others have been asked.
  const Clock::time_point enough = Clock::now() + kSurvivors;
  while (attribute(evidence).cause == Cause::kUnknown && !has_words && Clock::now() < enough) {
    co_await sleep_until(dialer_.executor(), Clock::now() + kRetry);
    evidence = evidence_now();
  }
  // Each drop is counted as soon as its cause is known, the incident when all have arrived.
  std::size_t counted = 0;
  for (; counted < evidence.drops.size(); ++counted) {
    count(evidence.drops[counted], attribute(evidence, evidence.drops[counted]));
  }
  co_await sleep_until(dialer_.executor(), std::max(Clock::now(), first + kArriving));
  evidence = evidence_now();
  for (; counted < evidence.drops.size(); ++counted) {
    count(evidence.drops[counted], attribute(evidence, evidence.drops[counted]));
  }
  conclude(*log_.find(id), evidence);
}

asio::awaitable<void> DropLedger::get_acquainted() {
  while (!known_.start_time) {
    try {
      postgres::ConnectOptions options;
      options.purpose = "diagnose";
      const auto deadline = Clock::now() + kOneAttempt;
      const postgres::Dialer::Session session = co_await dialer_.dial(options, deadline);
      const ServerMarks marks = co_await read_server_marks(*session.connection, deadline);
      learn(marks, session.connection->server_version());
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
    }
    co_await sleep_until(dialer_.executor(), Clock::now() + kAcquaintance);
  }
}

void DropLedger::count(const Drop& drop, const Verdict& verdict) {
  const std::string cause(to_string(verdict.cause));
  instruments_.count(families::kDrops,
                     {std::string(to_string(drop.probe)), cause, drop.error.sqlstate()});
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  last_drop_[cause] = now.count();
  surroundings_.decided(drop, verdict.cause);
}

void DropLedger::conclude(Incident& incident, const Evidence& evidence) {
  incident.verdict = attribute(evidence);
  incident.decided = true;
  under_investigation_.erase(incident.id);
  instruments_.count(families::kIncidents, {std::string(to_string(incident.verdict.cause)),
                                            std::string(to_string(incident.verdict.scope))});
  last_evidence_ = evidence;
  known_ = evidence.after;  // absent until somebody learns it anew
  surroundings_.concluded(incident);
}

void DropLedger::add_gauges(metrics::MetricBatch& batch) const {
  for (const auto& [cause, time] : last_drop_) batch.add(families::kLastDrop, time, {cause});
}

}  // namespace pgconn::probes
