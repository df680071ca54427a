#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {

const Reading& pooler_version_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW VERSION"}};
  static constexpr Reading kReading{.name = "pooler_version", .sql = kSql};
  return kReading;
}

const Reading& pooler_pools_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW POOLS"}};
  static constexpr Reading kReading{.name = "pooler_pools", .sql = kSql};
  return kReading;
}

const Reading& pooler_stats_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW STATS"}};
  static constexpr Reading kReading{.name = "pooler_stats", .sql = kSql};
  return kReading;
}

const Reading& pooler_lists_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW LISTS"}};
  static constexpr Reading kReading{.name = "pooler_lists", .sql = kSql};
  return kReading;
}

const Reading& pooler_databases_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW DATABASES"}};
  static constexpr Reading kReading{.name = "pooler_databases", .sql = kSql};
  return kReading;
}

const Reading& pooler_users_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW USERS"}};
  static constexpr Reading kReading{.name = "pooler_users", .sql = kSql};
  return kReading;
}

const Reading& pooler_config_reading() {
  static constexpr VersionedSql kSql[] = {{0, "SHOW CONFIG"}};
  static constexpr Reading kReading{.name = "pooler_config", .sql = kSql};
  return kReading;
}

}  // namespace pgconn::collectors
