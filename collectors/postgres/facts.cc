#include "collectors/postgres/facts.h"

#include <vector>

#include "collectors/postgres/activity.h"
#include "collectors/postgres/readings.h"
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
  facts.in_recovery = postgres::boolean(cell("in_recovery"));
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

}  // namespace pgconn::collectors
