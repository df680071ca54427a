#include "probes/drops/server_fate.h"

#include <algorithm>
#include <cmath>

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Reason;

// Times this close are too close to call. Unix times of one clock, seconds.
constexpr double kTolerance = 2;

// Whether a moment by the server's clock came after the connection's last answer; absent if that is
// not known, or too close to call.
std::optional<bool> since_last_answer(const Evidence& evidence, const Drop& drop, double moment) {
  const ServerMarks& after = evidence.after;
  if (!after.server_clock || !after.read_at) return std::nullopt;
  const double ago = *after.server_clock - moment;
  const double silence =
      std::chrono::duration<double>(*after.read_at - (drop.at - drop.silent_for)).count();
  if (ago + kTolerance < silence) return true;
  if (ago > silence + kTolerance) return false;
  return std::nullopt;
}

enum class Start { kUnknown, kSame, kSince, kElsewhere };

Start start_of(const Evidence& evidence, const Drop& drop) {
  const std::optional<double>& before = evidence.before.start_time;
  const std::optional<double>& after = evidence.after.start_time;
  if (!after) return Start::kUnknown;
  const std::optional<bool> since = since_last_answer(evidence, drop, *after);
  if (!before) return since == true ? Start::kSince : Start::kUnknown;
  if (*after == *before) return since == true ? Start::kUnknown : Start::kSame;
  if (std::abs(*after - *before) <= kTolerance) return Start::kUnknown;
  // Started earlier than the server we knew, or before our connection's last answer: not the
  // successor of that postmaster. A clock that was set back looks the same.
  return *after < *before || since == false ? Start::kElsewhere : Start::kSince;
}

// Whether the postmaster, the same as before, re-initialized after a crash.
std::optional<bool> crash_restarted(const Evidence& evidence, const Drop& drop) {
  const std::optional<double>& before = evidence.before.crash_restart_time;
  const std::optional<double>& after = evidence.after.crash_restart_time;
  if (!after) return std::nullopt;
  if (*after == 0) {
    // A restart cannot be undone: a clock was set back.
    return before.value_or(0) > 0 ? std::nullopt : std::optional(false);
  }
  const std::optional<bool> since = since_last_answer(evidence, drop, *after);
  if (!before) return since;
  const bool newer = *after > *before + kTolerance;
  return since == !newer ? std::nullopt : std::optional(newer);
}

// How attempts at a new session failed.
struct Refusals {
  bool refused = false;     // nobody listens
  bool recovering = false;  // only ever said after a crash
  bool stopping = false;
  bool unclear = false;  // 57P03 with another text
};

Refusals read_refusals(const Evidence& evidence) {
  Refusals result;
  for (const PgError& error : evidence.failed_reconnects) {
    const std::string_view text = error.what();
    const auto says = [text](std::string_view part) { return text.find(part) != text.npos; };
    if (error.reason() == Reason::kRefused) {
      result.refused = !evidence.pooler;  // else it is the pooler that does not listen
    } else if (error.reason() != Reason::kStarting) {
      continue;
    } else if (says("in recovery mode")) {
      result.recovering = true;
    } else if (says("shutting down") || says("starting up")) {
      result.stopping = true;
    } else {
      result.unclear = true;
    }
  }
  return result;
}

ServerFate fate_of_same(const Refusals& told, std::optional<bool> crashed) {
  if (told.stopping) return ServerFate::kContradictory;
  // A postmaster listens for as long as it lives: a firewall or the like refused, unless a crash
  // may have made a load balancer refuse.
  if (told.refused) {
    const bool went_on = crashed == false && !told.recovering && !told.unclear;
    return went_on ? ServerFate::kWalledOff : ServerFate::kContradictory;
  }
  // A postmaster that did not accept sessions for a while and then did, without a new start, had a
  // crash to recover from.
  const bool paused = told.recovering || told.unclear;
  if (paused && crashed == false) return ServerFate::kContradictory;
  if (paused || crashed == true) return ServerFate::kReset;
  return crashed == false ? ServerFate::kUntouched : ServerFate::kSameStart;
}

ServerFate fate_by_signs(const Evidence& evidence, const Drop& drop) {
  const Refusals told = read_refusals(evidence);
  switch (start_of(evidence, drop)) {
    case Start::kSame:
      return fate_of_same(told, crash_restarted(evidence, drop));
    case Start::kSince:
      return told.recovering ? ServerFate::kContradictory : ServerFate::kRestarted;
    case Start::kElsewhere:
      return told.recovering ? ServerFate::kContradictory : ServerFate::kElsewhere;
    case Start::kUnknown:
      break;
  }
  if (told.recovering) {
    return told.refused || told.stopping ? ServerFate::kContradictory : ServerFate::kReset;
  }
  if (told.stopping) return ServerFate::kStopping;
  if (told.refused) return ServerFate::kRefusing;
  return told.unclear ? ServerFate::kNotAccepting : ServerFate::kUnknown;
}

}  // namespace

ServerFate fate_of_server(const Evidence& evidence, const Drop& drop) {
  if (evidence.after.start_time && evidence.reconnected == false) {
    return ServerFate::kContradictory;
  }
  const ServerFate fate = fate_by_signs(evidence, drop);
  const bool goes_on = fate == ServerFate::kUnknown || fate == ServerFate::kUntouched ||
                       fate == ServerFate::kSameStart || fate == ServerFate::kWalledOff;
  // No session outlives a restart or a crash, so any that answers is at another server; and in a
  // smart shutdown, which sessions do outlive, drops have another reason.
  return evidence.survivors.empty() || goes_on ? fate : ServerFate::kContradictory;
}

std::string_view describe(ServerFate fate) {
  switch (fate) {
    case ServerFate::kUnknown:
      return "what became of the server is not known";
    case ServerFate::kContradictory:
      return "the signs of what became of the server contradict each other";
    case ServerFate::kUntouched:
      return "the server is the same and had no crash restart";
    case ServerFate::kSameStart:
      return "the postmaster's start time is unchanged";
    case ServerFate::kWalledOff:
      return "the server is the same, yet new connections were refused meanwhile";
    case ServerFate::kReset:
      return "the same postmaster went through crash recovery";
    case ServerFate::kRestarted:
      return "the postmaster was started anew since";
    case ServerFate::kStopping:
      return "new sessions were told that it shuts down or starts up";
    case ServerFate::kRefusing:
      return "new connections were refused";
    case ServerFate::kNotAccepting:
      return "new sessions were turned away with 57P03";
    case ServerFate::kElsewhere:
      return "another server answers at this address";
  }
  return "";
}

}  // namespace pgconn::probes
