// Why connections dropped: a pure function from evidence to cause, for an incident that is over (no
// drop has joined it for a while), because a later drop may bring the message that the first one
// lacked. Evidence beats guessing; when it is missing or contradicts itself the cause is kUnknown.
// A wrong cause is worse than none: less evidence gives the same cause or kUnknown, never another
// one (except that an OOM kill that nobody counted is reported as the crash that it also is). Any
// thread.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/error.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

enum class Cause {
  kAdminTerminate,
  kServerShutdown,  // stop or restart
  kCrash,           // a backend (or the postmaster) died, all were reset
  kOomKill,         // a crash with an OOM counter beside it
  kIdleInTransactionTimeout,
  kIdleSessionTimeout,
  kTransactionTimeout,
  kRecoveryConflict,  // a standby ends sessions that hold up its recovery
  kPathIdleTimeout,   // only silent connections drop: the path forgot them
  kNetworkReset,
  kNetworkSilent,  // no answer, no close
  kPoolerClose,
  kPoolerServerLost,
  kTlsError,
  kServerUnreachable,
  kUnknown,
};

inline constexpr std::array kCauses = {Cause::kAdminTerminate,
                                       Cause::kServerShutdown,
                                       Cause::kCrash,
                                       Cause::kOomKill,
                                       Cause::kIdleInTransactionTimeout,
                                       Cause::kIdleSessionTimeout,
                                       Cause::kTransactionTimeout,
                                       Cause::kRecoveryConflict,
                                       Cause::kPathIdleTimeout,
                                       Cause::kNetworkReset,
                                       Cause::kNetworkSilent,
                                       Cause::kPoolerClose,
                                       Cause::kPoolerServerLost,
                                       Cause::kTlsError,
                                       Cause::kServerUnreachable,
                                       Cause::kUnknown};

// How many of the held connections dropped together.
enum class Scope {
  kAll,       // every one, and there was more than one
  kIdleOnly,  // those silent longest, while the others answer, or just all canaries
  kSome,      // more than one, without such a pattern
  kOne,
};

inline constexpr std::array kScopes = {Scope::kAll, Scope::kIdleOnly, Scope::kSome, Scope::kOne};

std::string_view to_string(Cause cause);  // label values, as docs/metrics.md lists them
std::string_view to_string(Scope scope);

// The state of the server as a session saw it; absent where it could not be read. Unix times of the
// server's own clock.
struct ServerMarks {
  std::optional<double> start_time;          // pg_postmaster_start_time()
  std::optional<double> crash_restart_time;  // 0: never since that start
  // When these were read, by the server's clock and by ours. They distinguish a restarted server
  // from another one that took over its address, even if the two clocks differ.
  std::optional<double> server_clock;
  std::optional<Clock::time_point> read_at;
};

// A connection that was held when the incident began and has answered a question since.
struct Survivor {
  Clock::duration silent_for{};                       // the longest silence before such an answer
  std::optional<Clock::duration> keepalive_gap = {};  // as in Drop
  Clock::time_point opened = {};
  Clock::time_point answered = {};  // last
};

// A session opened to look at the server, and how soon it was answered.
struct NewSession {
  Clock::time_point began, answered;
};

// What a witness other than our own connections (the server's log, its host) says about the time of
// an incident.
struct Testimony {
  std::string_view source;                   // "server_log", "host"; lives as long as the program
  std::chrono::system_clock::time_point at;  // when it happened, by that witness's clock
  Cause cause = Cause::kUnknown;             // what it supports; kUnknown: only adds to the record
  int backend_pid = 0;                       // the session concerned; 0: the whole server
  std::string words;                         // our own words, never text from the log
};

// Absent means not known, everywhere.
struct Evidence {
  std::vector<Drop> drops;  // all drops of the incident, at least one
  // Connections held when it began, including those that dropped but not long queries, which cannot
  // be asked whether they are still there.
  std::optional<int> held;
  std::optional<int> silent;        // of these, canaries, which are silent on purpose
  std::vector<Survivor> survivors;  // have answered: the lack of an error is not enough
  // The longest silence that the server's keepalives left on the path.
  std::optional<Clock::duration> server_keepalive_gap;
  std::optional<int> server_version;  // as PQserverVersion
  ServerMarks before;                 // last known before the first drop
  // Read on a new session once the incident is over: a postmaster needs a moment to notice that a
  // backend died, and a session that gets in earlier sees nothing wrong.
  ServerMarks after;
  std::optional<bool> reconnected;       // a new session was opened; false: tried until time was up
  std::vector<NewSession> new_sessions;  // all that were opened
  // How the failed attempts ended. Empty while `reconnected` is true: the first one succeeded.
  std::vector<postgres::PgError> failed_reconnects;
  // For connections that went unanswered in earlier incidents: how long they had been silent, see
  // unanswered_silences().
  std::vector<Clock::duration> unanswered_before;
  // The longest silence that a canary has recently survived.
  std::optional<Clock::duration> survived_silence;
  // Silences after which others dropped in earlier incidents although longer ones had been
  // survived; none as long has been survived since. See doubtful_silences().
  std::vector<Clock::duration> fell_before;
  std::optional<bool> oom_kill_counted;  // an OOM counter moved; absent: not watched
  std::vector<Testimony> testimonies;    // in the order of their times
  bool pooler = false;                   // the target is a pooler, or is reached through one
};

struct Verdict {
  Cause cause = Cause::kUnknown;
  Scope scope = Scope::kOne;
  std::string because;  // the evidence that decided, or what is missing, in words for the log
};

// The server says that its idle_session_timeout ended the session.
bool ended_for_idleness(const Drop& drop);

// Our own deadline passed, and nobody else reported or noticed anything.
bool went_unanswered(const Drop& drop);

// The cause, if the last message alone decides it: a session's timeout, or a pooler's reason.
std::optional<Cause> cause_in_own_words(const Drop& drop);

// The silences of this incident that count as `unanswered_before` in later ones: that of a
// connection that alone went unanswered while others answered, and those of all unanswered ones if
// the path had forgotten them.
std::vector<Clock::duration> unanswered_silences(const Evidence& evidence);

// The verdict on the whole incident: the cause that all its drops agree on.
Verdict attribute(const Evidence& evidence);

// The verdict on one of evidence.drops, in the light of all the rest; its scope is the incident's.
Verdict attribute(const Evidence& evidence, const Drop& drop);

}  // namespace pgconn::probes
