#include "probes/drops/investigation.h"

#include <algorithm>

#include "probes/drops/refusals.h"
#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A postmaster needs a moment to notice that a backend died; until then nothing seems to be wrong.
constexpr milliseconds kNoticing(400);
// The last drops of one event come within this time after the first: sessions that are idle for too
// long are ended one by one.
constexpr seconds kAllArrived(3);
constexpr milliseconds kRetry(250);    // between attempts to connect meanwhile
constexpr seconds kAnswering(15);      // for the others, who have timeouts of their own
constexpr milliseconds kHearing(800);  // for the log and the host to be read
constexpr seconds kAgesTell(10);       // to see whether others drop at the same age
constexpr seconds kConcluding(1);      // from the last of the evidence to a verdict

bool has_words(const Drop& drop) { return !drop.error.sqlstate().empty(); }

bool all_have_words(const Incident& incident) {
  return std::all_of(incident.drops.begin(), incident.drops.end(), has_words);
}

}  // namespace

Investigation::Investigation(const Incident& incident, Means means)
    : incident_(incident), means_(means) {
  gathered_.before = means_.server.marks();
  gathered_.server_version = means_.server.server_version();
}

// Tries until a new session answers, or the failures of the attempts decide the matter.
asio::awaitable<void> Investigation::reconnect() {
  // Once more if drops joined late.
  const Clock::time_point again = means_.time.now() + kOneAttempt;
  bool lives = false;
  gathered_.after = {};
  gathered_.reconnected.reset();
  for (;;) {
    const auto patience = lives ? kSoon : patience_after(incident_.drops);
    const auto until = std::max<Clock::time_point>(incident_.first + patience, again);
    std::optional<postgres::PgError> failure;
    std::vector<postgres::EndpointError> turned_away;
    const Clock::time_point began = means_.time.now();
    try {
      const auto enough = std::min(until, began + kOneAttempt);
      const ServerLook seen = co_await means_.server.look(enough, &turned_away);
      gathered_.new_sessions.push_back({began, means_.time.now()});
      gathered_.after = seen.marks;
      gathered_.reconnected = true;
    } catch (const postgres::PgError& error) {
      if (error.reason() == postgres::Reason::kStopped) throw;
      failure = error;
    }
    add_refusals(turned_away, failure, incident_.drops, gathered_.failed_reconnects);
    if (!failure) co_return;
    lives = is_refusal_of_living(*failure);
    if (lives) {  // it does not end the others, so queries cross no last message
      ask_all();
      co_await await_others(until);
    }
    if (attribute(complete()).cause != Cause::kUnknown) co_return;
    // A slot may soon be free; other reasons for a refusal stay.
    const bool stays = lives && failure->reason() != postgres::Reason::kTooManyConnections;
    if ((stays && all_have_words(incident_)) || means_.time.now() + kRetry >= until) break;
    co_await means_.time.sleep_until(means_.time.now() + kRetry);
  }
  gathered_.reconnected = false;
}

// For a drop without a message, the connections that survived show what the path did. They are not
// queried before a server that ends them all has said so: a query would cross its last message,
// which would then be lost.
asio::awaitable<void> Investigation::ask_others() {
  if (all_have_words(incident_) || asked_all_) co_return;
  co_await means_.time.sleep_until(incident_.first + kNoticing);
  ask_all();
}

// At most once per incident.
void Investigation::ask_all() {
  if (asked_all_) return;
  asked_all_ = true;
  means_.held.ask_all();
}

// A server that went down ended all connections, including those that never hear of it because the
// path has forgotten them.
asio::awaitable<void> Investigation::seek_unheard(const Evidence& evidence) {
  const Cause cause = attribute(evidence).cause;
  const bool ends_all =
      cause == Cause::kServerShutdown || cause == Cause::kCrash || cause == Cause::kOomKill;
  if (!ends_all || asked_all_) co_return;
  ask_all();
  co_await await_others(incident_.first + kAnswering);
}

asio::awaitable<void> Investigation::await_others(Clock::time_point enough) {
  while (means_.held.owing() > 0 && means_.time.now() < enough) {
    co_await means_.held.changed().wait_until(enough);
  }
}

// Whether another connection reaches the same age shows whether silence or age ended this one.
asio::awaitable<void> Investigation::await_ages() {
  const Clock::time_point enough = incident_.first + kAgesTell;
  while (means_.time.now() < enough) {
    const Evidence evidence = complete();
    if (!is_told_by_age(evidence, enough)) co_return;
    const Clock::time_point old_enough = when_told_by_age(evidence);
    const bool now = means_.time.now() >= old_enough;
    if (now) means_.held.ask_all();  // they may not be due for long
    co_await means_.held.changed().wait_until(now ? enough : std::min(old_enough, enough));
  }
}

Clock::time_point Investigation::worth_waiting_until() const {
  const Clock::time_point ages = incident_.first + kAgesTell;
  if (is_told_by_age(complete(), ages)) return ages + kConcluding;
  const bool may_recover = !gathered_.reconnected && patience_after(incident_.drops) == kPatience;
  return may_recover ? incident_.first + kPatience + kConcluding : Clock::time_point::min();
}

// A cause that is decided without the others is counted without them: they have timeouts of their
// own, and are awaited afterwards, for the scope.
asio::awaitable<void> Investigation::await_deciders(Clock::time_point enough) {
  co_await await_others(std::min<Clock::time_point>(incident_.first + kSoon, enough));
  while (means_.held.owing() > 0 && means_.time.now() < enough) {
    if (attribute(complete()).cause != Cause::kUnknown) co_return;
    co_await means_.held.changed().wait_until(enough);
  }
}

// A connection that drops meanwhile is investigated at once.
asio::awaitable<void> Investigation::await_scope(std::size_t counted, Clock::time_point enough) {
  while (means_.held.owing() > 0 && means_.time.now() < enough &&
         incident_.drops.size() == counted) {
    co_await means_.held.changed().wait_until(enough);
  }
}

asio::awaitable<void> Investigation::await_arrivals() {
  const bool one_by_one = ended_for_idleness(incident_.drops.front());
  const Clock::time_point all = incident_.first + kAllArrived;
  for (;;) {
    const Clock::time_point until = one_by_one ? all : std::min(incident_.last + kArriving, all);
    if (means_.time.now() >= until) co_return;
    co_await means_.time.sleep_until(until);
  }
}

// The sources take a moment to answer, and no verdict waits long for them.
asio::awaitable<void> Investigation::hear_sources() {
  const Clock::time_point enough = means_.time.now() + kHearing;
  for (EvidenceSource* source : means_.sources) co_await source->look(enough);
}

Evidence Investigation::complete() const {
  Evidence evidence = gathered_;
  evidence.drops = incident_.drops;
  evidence.held = incident_.held_before;
  evidence.silent = incident_.silent_before;
  evidence.survivors = means_.held.survivors(incident_.first);
  means_.path.add_to(evidence, incident_.first, means_.held);
  if (const auto& look = means_.server.last_look()) {
    evidence.pooler = look->pooler;
    evidence.server_keepalive_gap = look->keepalive_gap;
  }
  for (const EvidenceSource* source : means_.sources) source->add_to(evidence, incident_);
  return evidence;
}

// Each drop is counted as soon as its cause is known, the incident when all have arrived. If others
// join meanwhile, the server is looked at again.
asio::awaitable<void> Investigation::run(std::function<void(const Evidence&)> decidable) {
  Evidence evidence;
  while (evidence.drops.size() < incident_.drops.size()) {
    co_await ask_others();
    co_await reconnect();
    const auto enough = incident_.first + (all_have_words(incident_) ? kSoon : kAnswering);
    co_await await_deciders(enough);
    const std::size_t fallen = incident_.drops.size();
    co_await await_ages();
    if (incident_.drops.size() > fallen) continue;  // the look at the server is older
    co_await hear_sources();
    evidence = complete();
    decidable(evidence);
    co_await await_scope(evidence.drops.size(), enough);
    co_await await_arrivals();
    co_await seek_unheard(evidence);
  }
}

}  // namespace pgconn::probes
