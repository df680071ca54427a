#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "collectors/postgres/activity.h"
#include "collectors/postgres/builtin.h"
#include "collectors/postgres/readings.h"
#include "collectors/postgres/server_settings.h"
#include "collectors/postgres/setting_rows.h"

namespace pgconn::collectors {
namespace {

constexpr auto kSlots = metrics::gauge(
    "pgconn_connection_slots",
    "Slots for client sessions: `max` (max_connections), those set aside as `superuser_reserved` "
    "and `reserved` (PostgreSQL 16 on), and what is left, `usable` by any role.",
    {"kind"});
constexpr auto kSlotsUsed = metrics::gauge("pgconn_connection_slots_used",
                                           "Slots taken by client sessions, ours included.");
constexpr auto kDatabaseConnections = metrics::gauge(
    "pgconn_database_connections",
    "Client sessions of a database, ours included; parallel workers too where our role may not see "
    "what a backend is.",
    {"database"});
constexpr auto kDatabaseLimit =
    metrics::gauge("pgconn_database_connection_limit",
                   "CONNECTION LIMIT of a database that has one.", {"database"});
constexpr auto kRoleConnections = metrics::gauge(
    "pgconn_role_connections",
    "Client sessions of a role, ours included; parallel workers too where our role may not see "
    "what a backend is.",
    {"role"});
constexpr auto kRoleLimit = metrics::gauge("pgconn_role_connection_limit",
                                           "CONNECTION LIMIT of a role that has one.", {"role"});

constexpr const metrics::Descriptor* kDescriptors[] = {
    &kSlots, &kSlotsUsed, &kDatabaseConnections, &kDatabaseLimit, &kRoleConnections, &kRoleLimit};

constexpr CollectorInfo kInfo{
    .name = "limits",
    .help = "Connection slots and the connection limits of databases and roles.",
    .descriptors = kDescriptors};

void add_slots(const ServerSettings& settings, int server_version, metrics::MetricBatch& batch) {
  const auto max = settings.number("max_connections");
  const auto superuser_reserved = settings.number("superuser_reserved_connections");
  const auto reserved = settings.number("reserved_connections");
  if (max) batch.add(kSlots, *max, {"max"});
  if (superuser_reserved) batch.add(kSlots, *superuser_reserved, {"superuser_reserved"});
  if (reserved) batch.add(kSlots, *reserved, {"reserved"});
  const bool all_known = reserved || server_version < 160000;
  if (max && superuser_reserved && all_known) {
    batch.add(kSlots, *max - *superuser_reserved - reserved.value_or(0), {"usable"});
  }
}

using Counts = std::map<std::string_view, std::int64_t>;

void add_counts(const metrics::Descriptor& descriptor, const Counts& counts,
                metrics::MetricBatch& batch) {
  for (const auto& [name, count] : counts) {
    batch.add(descriptor, static_cast<double>(count), {std::string(name)});
  }
}

class LimitsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options& options) const override {
    return {&activity_reading(options), &settings_reading(), &limits_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    metrics::MetricBatch& batch = output.batch;
    add_slots(readings.parsed(settings_reading(), read_settings), context.server_version, batch);

    std::int64_t used = 0;
    Counts databases;
    Counts roles;
    for (const SessionGroup& group : activity_of(readings, context.options)) {
      if (!group.is_client()) continue;
      used += group.sessions;
      // Only a session that has both is past authentication and no background process.
      if (group.database.empty() || group.role.empty()) continue;
      databases[group.database] += group.sessions;
      roles[group.role] += group.sessions;
    }
    if (context.visibility.sessions) batch.add(kSlotsUsed, static_cast<double>(used));

    const postgres::Rows& limits = readings.rows(limits_reading());
    const std::size_t kind = limits.column("kind");
    const std::size_t name = limits.column("name");
    const std::size_t limit = limits.column("connection_limit");
    for (std::size_t row = 0; row < limits.size(); ++row) {
      const std::string_view owner = postgres::text_or(limits.at(row, name), "");
      const bool is_role = limits.at(row, kind) == "role";
      (is_role ? roles : databases)[owner];  // 0 connections are worth telling beside a limit
      if (const auto value = postgres::number(limits.at(row, limit))) {
        batch.add(is_role ? kRoleLimit : kDatabaseLimit, *value, {std::string(owner)});
      }
    }
    add_counts(kDatabaseConnections, databases, batch);
    add_counts(kRoleConnections, roles, batch);
    return output;
  }
};

}  // namespace

const Collector& limits_collector() {
  static const LimitsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
