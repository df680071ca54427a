#include "tests/unit/collectors/collected.h"

#include <cmath>
#include <cstdint>
#include <cstdio>

#include "tests/support/catch.h"

namespace pgconn::collectors {
namespace {

using postgres::Cell;
using postgres::Rows;

constexpr std::int64_t kNow = 840000000LL * 1000000;  // microseconds since 2000

std::string hex(std::int64_t microseconds) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(microseconds));
  return text;
}

Cell flag(bool value) { return value ? "t" : "f"; }

}  // namespace

Rows activity(const std::vector<Group>& groups) {
  std::vector<Cell> cells;
  for (const Group& group : groups) {
    std::string changes;
    for (double age : group.state_ages) changes += hex(kNow - std::llround(age * 1e6));
    const Cell row[] = {group.database,
                        group.role,
                        group.application,
                        group.backend_type,
                        group.state,
                        group.wait,
                        group.link,
                        group.tls_version,
                        group.tls_cipher,
                        std::to_string(group.sessions),
                        std::to_string(group.certificates),
                        group.transaction_age,
                        group.session_age,
                        group.session_start,
                        hex(kNow),
                        changes.empty() ? kNull : Cell(changes),
                        group.pids,
                        group.lock_waiters,
                        group.lock_waits,
                        group.client};
    cells.insert(cells.end(), std::begin(row), std::end(row));
  }
  return Rows({"database",    "role",          "application",  "backend_type",
               "state",       "wait",          "link",         "tls_version",
               "tls_cipher",  "sessions",      "certificates", "transaction_age",
               "session_age", "session_start", "now",          "state_changes",
               "pids",        "lock_waiters",  "lock_waits",   "client"},
              cells);
}

Rows settings(const std::vector<Setting>& settings) {
  std::vector<Cell> cells;
  for (const Setting& setting : settings) {
    const Cell row[] = {setting.name, setting.value, setting.unit, flag(setting.pending_restart),
                        flag(setting.masked)};
    cells.insert(cells.end(), std::begin(row), std::end(row));
  }
  return Rows({"name", "reset_val", "unit", "pending_restart", "masked"}, cells);
}

Rows overrides(const std::vector<OverrideRow>& overrides, int login_roles, int databases) {
  std::vector<Cell> cells;
  for (const OverrideRow& row : overrides) {
    const Cell values[] = {row.setting,
                           row.value,
                           row.database,
                           row.role,
                           flag(row.applies),
                           std::to_string(login_roles),
                           std::to_string(databases)};
    cells.insert(cells.end(), std::begin(values), std::end(values));
  }
  return Rows({"setting", "value", "database", "role", "applies", "login_roles", "databases"},
              cells);
}

Rows server(double start_time, bool sees_all) {
  const Cell sees = flag(sees_all);
  return Rows(
      {"version", "in_recovery", "start_time", "config_load_time", "clock", "address", "role",
       "sees_sessions", "sees_settings", "sees_logs", "sees_hba_rules", "sees_identity"},
      {"15.18 (Debian 15.18-0+deb12u1)", "f", std::to_string(start_time),
       std::to_string(start_time), std::to_string(start_time + 1000), "10.0.0.1 5432", "pgconn",
       sees, sees, sees, sees, "t"});
}

std::size_t Collected::count(std::string_view family) const {
  std::size_t count = 0;
  for (const auto& [sample, value] : samples) {
    if (std::string_view(sample).substr(0, sample.find('{')) == family) ++count;
  }
  return count;
}

Collected collect(const Collector& collector, const Readings& readings, const Options& options,
                  int server_version, const Visibility& visibility) {
  const metrics::MetricBatch batch =
      collector.collect(readings, {server_version, visibility, options}).batch;
  Collected collected;
  for (const metrics::Family& family : batch.families()) {
    bool is_listed = false;
    for (const auto* descriptor : collector.info().descriptors) {
      is_listed = is_listed || descriptor == family.descriptor;
    }
    CHECK(is_listed);
    for (const metrics::Sample& sample : family.samples) {
      std::string name = std::string(family.descriptor->name) + "{";
      for (std::size_t i = 0; i < sample.labels.size(); ++i) {
        name += (i == 0 ? "" : ",") + sample.labels[i];
      }
      CHECK(collected.samples.emplace(name + "}", sample.value).second);
    }
  }
  return collected;
}

}  // namespace pgconn::collectors
