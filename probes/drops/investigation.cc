// How the ledger finds out why the connections of an incident were lost: what it asks, in which
// order, and for how long it waits.
#include <algorithm>

#include "probes/drops/drop_ledger.h"
#include "probes/drops/refusals.h"
#include "probes/drops/server_marks.h"
#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A postmaster needs a moment to notice that a backend died; until then nothing seems to be wrong.
constexpr milliseconds kNoticing(400);
// The last drops of one event follow no later than this after the first: who is idle for too long
// is ended one by one.
constexpr seconds kAllArrived(3);
constexpr milliseconds kRetry(250);           // between attempts to connect meanwhile
constexpr seconds kAnswering(15);             // for the others, who have timeouts of their own
constexpr milliseconds kGlance(50);           // between looks at whether they have answered
constexpr seconds kAgesTell(10);              // for whether others fall at the same age
constexpr std::chrono::hours kSampleFor(24);  // how long a silence counts as a sample of the path

bool has_words(const Drop& drop) { return !drop.error.sqlstate().empty(); }

bool all_have_words(const Incident& incident) {
  return std::all_of(incident.drops.begin(), incident.drops.end(), has_words);
}

}  // namespace

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
  ask_all(incident);
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

}  // namespace pgconn::probes
