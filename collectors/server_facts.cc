#include "collectors/server_facts.h"

namespace pgconn::collectors {
namespace {

bool differ(const std::string& one, const std::string& other) {
  return !one.empty() && !other.empty() && one != other;
}

bool same(const std::string& one, const std::string& other) { return !one.empty() && one == other; }

// Of two with different start times.
bool is_another(const ServerFacts& before, const ServerFacts& now, double unheard) {
  constexpr double kTolerance = 2;  // seconds, of clocks that do not tick alike
  if (differ(before.system_identifier, now.system_identifier)) return true;
  const bool ran_already =
      now.start_time < before.start_time || now.clock - now.start_time > unheard + kTolerance;
  const bool elsewhere = differ(before.address, now.address);
  if (ran_already && elsewhere) return true;
  // A promotion begins a new timeline. So two primaries on one are one, which may have got another
  // address, or a clock that was set since it started.
  const bool one_history =
      same(before.system_identifier, now.system_identifier) && same(before.timeline, now.timeline);
  return !one_history && (ran_already || elsewhere);
}

}  // namespace

std::string_view role_name(const ServerFacts& facts) {
  if (!facts.in_recovery) return "";
  return *facts.in_recovery ? "standby" : "primary";
}

Change change_between(const ServerFacts& before, const ServerFacts& now, double unheard) {
  if (now.start_time != before.start_time) {
    return is_another(before, now, unheard) ? Change::kMove : Change::kRestart;
  }
  if (!before.crash_restart_time || !now.crash_restart_time) return Change::kNone;
  return *now.crash_restart_time > *before.crash_restart_time ? Change::kCrash : Change::kNone;
}

ServerFacts completed(ServerFacts facts, const ServerFacts& before) {
  if (facts.start_time != before.start_time) return facts;
  if (!facts.crash_restart_time) facts.crash_restart_time = before.crash_restart_time;
  if (facts.system_identifier.empty()) facts.system_identifier = before.system_identifier;
  // A standby that is promoted has another from then on.
  const bool promoted = facts.in_recovery != before.in_recovery;
  if (facts.timeline.empty() && !promoted) facts.timeline = before.timeline;
  return facts;
}

}  // namespace pgconn::collectors
