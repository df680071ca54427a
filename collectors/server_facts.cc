#include "collectors/server_facts.h"

#include <vector>

#include "collectors/postgres/activity.h"
#include "postgres/server_start.h"

namespace pgconn::collectors {
namespace {

using postgres::Rows;

Visibility read_visibility(const Rows& rows) {
  const auto sees = [&](std::string_view column) {
    return postgres::boolean(rows.only(column)).value_or(false);
  };
  return {.sessions = sees("sees_sessions"),
          .settings = sees("sees_settings"),
          .logs = sees("sees_logs"),
          .identity = sees("sees_identity"),
          .hba_rules = sees("sees_hba_rules")};
}

std::optional<double> crash_restart_time(const std::vector<SessionGroup>& activity,
                                         double start_time) {
  for (const SessionGroup& group : activity) {
    if (group.backend_type != "checkpointer" || !group.session_start) continue;
    return postgres::crash_restart_time(start_time, *group.session_start);
  }
  return std::nullopt;
}

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

std::optional<ServerFacts> facts(const Readings& readings, const Options& options) {
  const Rows* rows = readings.find(server_reading());
  if (rows == nullptr || rows->empty()) return std::nullopt;
  const auto cell = [&](std::string_view column) -> const postgres::Cell& {
    return rows->only(column);
  };
  ServerFacts facts;
  // Distributions append their own version: "15.18 (Debian 15.18-0+deb12u1)".
  const std::string_view version = postgres::text_or(cell("version"), "");
  facts.version = version.substr(0, version.find(' '));
  facts.in_recovery = postgres::boolean(cell("in_recovery")).value_or(false);
  facts.start_time = postgres::number(cell("start_time")).value_or(0);
  facts.config_load_time = postgres::number(cell("config_load_time")).value_or(0);
  facts.clock = postgres::number(cell("clock")).value_or(0);
  facts.address = postgres::text_or(cell("address"), "");
  facts.role = postgres::text_or(cell("role"), "");
  facts.visibility = read_visibility(*rows);
  if (readings.find(activity_reading(options)) != nullptr) {
    facts.crash_restart_time = crash_restart_time(activity_of(readings, options), facts.start_time);
  }
  const Rows* identity = readings.find(identity_reading());
  if (identity != nullptr && !identity->empty()) {
    facts.system_identifier = postgres::text_or(identity->only("system_identifier"), "");
    facts.timeline = postgres::text_or(identity->only("timeline"), "");
  }
  return facts;
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
