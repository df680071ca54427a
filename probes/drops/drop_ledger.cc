#include "probes/drops/drop_ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "postgres/backoff.h"
#include "postgres/sqlstate.h"
#include "probes/drops/drop_metrics.h"
#include "probes/drops/refusals.h"
#include "probes/drops/remains.h"
#include "probes/drops/server_marks.h"
#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A postmaster needs a moment to notice that a backend died; until then nothing seems to be wrong.
constexpr milliseconds kNoticing(400);
// Drops of one event follow each other within this time; the scope is not told before.
constexpr milliseconds kArriving(400);
// And no longer than this after the first: who is idle for too long is ended one by one.
constexpr seconds kAllArrived(3);
constexpr milliseconds kRetry(250);  // between attempts to connect meanwhile
constexpr seconds kOneAttempt(3);    // of connecting and asking
constexpr seconds kAnswering(15);    // for the others, who have timeouts of their own
constexpr milliseconds kGlance(50);  // between looks at whether they have answered
constexpr seconds kAcquaintance(5);  // between attempts to learn what the server is, at first
constexpr minutes kLongestWait(1);   // and when they go on failing
constexpr std::size_t kMostRemains = 1000;
constexpr seconds kAgesTell(10);  // for whether others fall at the same age
constexpr std::size_t kSamplesKept = 16;
constexpr std::chrono::hours kSampleFor(24);  // how long a silence counts as a sample of the path

bool has_words(const Drop& drop) { return !drop.error.sqlstate().empty(); }

bool all_have_words(const Incident& incident) {
  return std::all_of(incident.drops.begin(), incident.drops.end(), has_words);
}

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

// On a session of its own.
asio::awaitable<ServerLook> DropLedger::look(Clock::time_point deadline,
                                             std::vector<postgres::EndpointError>* turned_away) {
  postgres::ConnectOptions options;
  options.purpose = "diagnose";
  options.turned_away = turned_away;
  const postgres::Dialer::Session session = co_await dialer_.dial(options, deadline);
  last_look_ = co_await look_at_server(*session.connection, deadline);
  server_version_ = session.connection->server_version();
  co_return *last_look_;
}

// Tries until a new session answers, or what the attempts were told decides the matter.
asio::awaitable<void> DropLedger::reconnect(const Incident& incident, Evidence& evidence) {
  // Once more if some joined late.
  const Clock::time_point again = Clock::now() + kOneAttempt;
  bool lives = false;
  evidence.after = {};
  evidence.reconnected.reset();
  for (;;) {
    const auto patience = lives ? kSoon : patience_after(incident.drops);
    const auto until = std::max<Clock::time_point>(incident.first + patience, again);
    std::optional<postgres::PgError> failure;
    std::vector<postgres::EndpointError> turned_away;
    const Clock::time_point began = Clock::now();
    try {
      const auto enough = std::min(until, began + kOneAttempt);
      const ServerLook seen = co_await look(enough, &turned_away);
      evidence.new_sessions.push_back({began, Clock::now()});
      evidence.after = seen.marks;
      evidence.reconnected = true;
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
      failure = error;
    }
    add_refusals(turned_away, failure, incident.drops, evidence.failed_reconnects);
    if (!failure) co_return;
    lives = is_refusal_of_living(*failure);
    if (lives) {  // nor does it end the others, so their last words are not crossed
      ask_all(incident);
      co_await await_others(until);
    }
    if (attribute(complete(evidence, incident)).cause != Cause::kUnknown) co_return;
    // A free slot may soon let us in; what else turns us away stays.
    const bool stays = lives && failure->reason() != postgres::Reason::kTooManyConnections;
    if ((stays && all_have_words(incident)) || Clock::now() + kRetry >= until) break;
    co_await sleep_until(dialer_.executor(), Clock::now() + kRetry);
  }
  evidence.reconnected = false;
}

// What the path did to one that had no words is told by who else survived. They are not asked
// before a server that ends them all has said so: a question would cross its last words, which are
// lost then.
asio::awaitable<void> DropLedger::ask_others(const Incident& incident) {
  if (all_have_words(incident) || asked_in_ == incident.id) co_return;
  co_await sleep_until(dialer_.executor(), incident.first + kNoticing);
  ask_all(incident);
}

// Once in an incident.
void DropLedger::ask_all(const Incident& incident) {
  if (asked_in_ == incident.id) return;
  asked_in_ = incident.id;
  held_.ask_all();
}

// A server that went down took all with it, also those that a path which has forgotten them keeps
// from hearing of it.
asio::awaitable<void> DropLedger::seek_unheard(const Incident& incident, const Evidence& evidence) {
  const Cause cause = attribute(evidence).cause;
  const bool ends_all =
      cause == Cause::kServerShutdown || cause == Cause::kCrash || cause == Cause::kOomKill;
  if (!ends_all || asked_in_ == incident.id) co_return;
  asked_in_ = incident.id;
  held_.ask_all();
  co_await await_others(incident.first + kAnswering);
}

asio::awaitable<void> DropLedger::await_others(Clock::time_point enough) {
  while (held_.owing() > 0 && Clock::now() < enough) {
    co_await sleep_until(dialer_.executor(), Clock::now() + kGlance);
  }
}

// Whether silence or age ended one is told by another that grows as old, or does not.
asio::awaitable<void> DropLedger::await_ages(const Incident& incident, const Evidence& gathered) {
  const Clock::time_point enough = incident.first + kAgesTell;
  while (Clock::now() < enough && is_told_by_age(complete(gathered, incident), enough)) {
    co_await sleep_until(dialer_.executor(), Clock::now() + kGlance);
  }
}

// What is decided without the others is counted without them: they have timeouts of their own, and
// are waited for afterwards, for the scope.
asio::awaitable<void> DropLedger::await_deciders(const Incident& incident, const Evidence& gathered,
                                                 Clock::time_point enough) {
  co_await await_others(std::min<Clock::time_point>(incident.first + kSoon, enough));
  while (held_.owing() > 0 && Clock::now() < enough) {
    if (attribute(complete(gathered, incident)).cause != Cause::kUnknown) co_return;
    co_await sleep_until(dialer_.executor(), Clock::now() + kGlance);
  }
}

// One that falls meanwhile is looked into at once.
asio::awaitable<void> DropLedger::await_scope(const Incident& incident, std::size_t counted,
                                              Clock::time_point enough) {
  while (held_.owing() > 0 && Clock::now() < enough && incident.drops.size() == counted) {
    co_await sleep_until(dialer_.executor(), Clock::now() + kGlance);
  }
}

asio::awaitable<void> DropLedger::await_arrivals(const Incident& incident) {
  const bool one_by_one = ended_for_idleness(incident.drops.front());
  const Clock::time_point all = incident.first + kAllArrived;
  for (;;) {
    const Clock::time_point until = one_by_one ? all : std::min(incident.last + kArriving, all);
    if (Clock::now() >= until) co_return;
    co_await sleep_until(dialer_.executor(), until);
  }
}

Evidence DropLedger::complete(const Evidence& gathered, const Incident& incident) const {
  Evidence evidence = gathered;
  evidence.drops = incident.drops;
  evidence.held = incident.held_before;
  evidence.silent = incident.silent_before;
  evidence.survivors = held_.survivors(incident.first);
  for (const auto& [at, silence] : unanswered_) {
    if (incident.first - at < kSampleFor) evidence.unanswered_before.push_back(silence);
  }
  evidence.survived_silence = held_.survived_silence(incident.first - kSampleFor);
  for (const auto& [at, silence] : doubtful_) {
    const auto survived = held_.survived_silence(at);
    if (!survived || *survived < silence) evidence.fell_before.push_back(silence);
  }
  if (last_look_) {
    evidence.pooler = last_look_->pooler;
    evidence.server_keepalive_gap = last_look_->keepalive_gap;
  }
  return evidence;
}

asio::awaitable<void> DropLedger::investigate(std::uint64_t id) {
  Incident& incident =
      *log_.find(id);  // stays where it is: no later one begins before it is decided
  Evidence gathered;
  gathered.before = known_;
  gathered.server_version = server_version_;
  Evidence evidence;
  // Each drop is counted as soon as its cause is known, the incident when all have arrived. Those
  // that join meanwhile have the server looked at anew.
  while (evidence.drops.size() < incident.drops.size()) {
    co_await ask_others(incident);
    co_await reconnect(incident, gathered);
    const auto enough = incident.first + (all_have_words(incident) ? kSoon : kAnswering);
    co_await await_deciders(incident, gathered, enough);
    const std::size_t fallen = incident.drops.size();
    co_await await_ages(incident, gathered);
    if (incident.drops.size() > fallen) continue;  // what was seen of the server is older
    evidence = complete(gathered, incident);
    count_rest(incident, evidence);
    co_await await_scope(incident, evidence.drops.size(), enough);
    co_await await_arrivals(incident);
    co_await seek_unheard(incident, evidence);
  }
  evidence = complete(gathered, incident);  // with those who have answered since
  conclude(incident, evidence, attribute(evidence));
  for (const Drop& drop : evidence.drops) {
    listeners_.decided(drop, attribute(evidence, drop).cause);
  }
}

asio::awaitable<void> DropLedger::see_out(std::uint64_t id) {
  for (;;) {
    const Incident* const incident = log_.find(id);
    if (incident == nullptr) co_return;
    // A drop is told a little after it was noticed.
    const Clock::time_point over = log_.over_at(*incident) + kArriving;
    if (Clock::now() >= over) {
      if (incident->drops.size() + incident->turns > incident->told) listeners_.over(*incident);
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
