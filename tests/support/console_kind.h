// A kind of target that only tests have: PgBouncer's console as it is asked for its version and its
// pools, by the simple protocol and without any setup. It shows what the seam between kinds has to
// carry.
#pragma once

#include <array>
#include <string>

#include "collectors/kind.h"

namespace pgconn::test {

inline constexpr auto kPoolClients = metrics::gauge(
    "pgconn_test_pool_clients", "Clients of a pool that are being served.", {"database", "user"});
inline constexpr const metrics::Descriptor* kPoolFamilies[] = {&kPoolClients};

inline constexpr collectors::VersionedSql kVersionSql[] = {{0, "SHOW VERSION"}};
inline constexpr collectors::VersionedSql kPoolsSql[] = {{0, "SHOW POOLS"}};
inline constexpr collectors::VersionedSql kNonsenseSql[] = {{0, "SHOW NONSENSE"}};
inline constexpr collectors::Reading kVersion{.name = "version", .sql = kVersionSql};
inline constexpr collectors::Reading kPools{.name = "pools", .sql = kPoolsSql};
inline constexpr collectors::Reading kNonsense{.name = "nonsense", .sql = kNonsenseSql};

class PoolsCollector final : public collectors::Collector {
 public:
  const collectors::CollectorInfo& info() const override {
    static const collectors::CollectorInfo info{
        .name = "pools", .help = "Clients of pools.", .descriptors = kPoolFamilies};
    return info;
  }
  std::vector<const collectors::Reading*> readings(const collectors::Options&) const override {
    return {&kPools};
  }
  collectors::CollectorOutput collect(const collectors::Readings& readings,
                                      const collectors::CollectContext&) const override {
    collectors::CollectorOutput output;
    const postgres::Rows& rows = readings.rows(kPools);
    const std::size_t database = rows.column("database"), user = rows.column("user"),
                      active = rows.column("cl_active");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      output.batch.add(kPoolClients, postgres::number(rows.at(row, active)).value_or(0),
                       {std::string(postgres::text_or(rows.at(row, database), "")),
                        std::string(postgres::text_or(rows.at(row, user), ""))});
    }
    return output;
  }
};

// Asks what no console answers.
class NonsenseCollector final : public collectors::Collector {
 public:
  const collectors::CollectorInfo& info() const override {
    static const collectors::CollectorInfo info{
        .name = "nonsense", .help = "Nothing.", .descriptors = {}};
    return info;
  }
  std::vector<const collectors::Reading*> readings(const collectors::Options&) const override {
    return {&kNonsense};
  }
  collectors::CollectorOutput collect(const collectors::Readings& readings,
                                      const collectors::CollectContext&) const override {
    readings.rows(kNonsense);
    return {};
  }
};

// Of a later version than there is.
class LaterCollector final : public collectors::Collector {
 public:
  const collectors::CollectorInfo& info() const override {
    static const collectors::CollectorInfo info{
        .name = "later", .help = "Nothing yet.", .min_version = 99900, .descriptors = {}};
    return info;
  }
  std::vector<const collectors::Reading*> readings(const collectors::Options&) const override {
    return {&kNonsense};
  }
  collectors::CollectorOutput collect(const collectors::Readings&,
                                      const collectors::CollectContext&) const override {
    return {};
  }
};

inline std::optional<collectors::ServerFacts> console_facts(const collectors::Readings& readings,
                                                            const collectors::Options&) {
  const postgres::Rows* rows = readings.find(kVersion);
  if (rows == nullptr || rows->empty()) return std::nullopt;
  const std::string_view told = postgres::text_or(rows->only("version"), "");
  constexpr std::string_view kName = "PgBouncer ";
  if (!told.starts_with(kName)) throw std::invalid_argument("no PgBouncer: " + std::string(told));
  collectors::ServerFacts facts;
  facts.version = told.substr(kName.size());
  return facts;
}

inline const collectors::TargetKind& console_kind() {
  static const PoolsCollector pools;
  static const NonsenseCollector nonsense;
  static const LaterCollector later;
  static const std::array<const collectors::Collector*, 3> all{&pools, &nonsense, &later};
  static const collectors::TargetKind kind{.name = "console",
                                           .peer = {.product = "PgBouncer",
                                                    .oldest_version = 11800,
                                                    .protocol = postgres::Protocol::kSimple,
                                                    .takes_setup = false},
                                           .collectors = all,
                                           .server = kVersion,
                                           .further = {},
                                           .facts = console_facts,
                                           .explained = nullptr,
                                           .grant = {}};
  return kind;
}

}  // namespace pgconn::test
