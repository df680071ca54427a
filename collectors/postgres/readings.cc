#include "collectors/postgres/readings.h"

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace pgconn::collectors {
namespace {

// USAGE and not MEMBER: a role that would have to SET ROLE first sees nothing.
constexpr VersionedSql kServerSql[] = {{130000, R"(
SELECT current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       date_part('epoch', pg_postmaster_start_time()) AS start_time,
       date_part('epoch', pg_conf_load_time()) AS config_load_time,
       date_part('epoch', clock_timestamp()) AS clock,
       host(inet_server_addr()) || ' ' || inet_server_port() AS address,
       session_user AS role,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_sessions,
       pg_has_role('pg_read_all_settings', 'USAGE') AS sees_settings,
       pg_has_role('pg_monitor', 'USAGE') AS sees_logs,
       has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS sees_hba_rules,
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AND
       has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE') AND
       has_function_privilege('pg_catalog.pg_control_recovery()', 'EXECUTE') AS sees_identity)"}};

// Right after a promotion the timeline of the last checkpoint is still the one before.
constexpr VersionedSql kIdentitySql[] = {{130000, R"(
SELECT s.system_identifier,
       CASE WHEN NOT pg_is_in_recovery()
            THEN greatest(c.timeline_id, r.min_recovery_end_timeline) END AS timeline
  FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_recovery() r)"}};

// Every expression in the inner query runs once per session, so it is written to be cheap, and it
// reads the function below pg_stat_activity, whose joins would run for every session: names are
// looked up once per group. A NULL key costs nothing to hash, hence backend_type is NULL for the
// usual one and `wait` is set for active sessions only (idle ones always wait for their client).
// Each state_change is sent, since only the options say which ages count, and in the one form that
// need not be formatted: 8 bytes of microseconds, as hex.
//
// Blockers are looked up once, only if a session waits, and only for those that wait longest: each
// call of pg_blocking_pids() locks the whole lock table, so asking for a thousand waiters would
// make them wait longer. From 14 on, pg_locks knows since when a session waits.
std::string lock_waits_sql(int version, int traced) {
  const std::string waiters =
      version < 140000
          ? "SELECT s.pid, NULL AS seconds, row_number() OVER (ORDER BY s.query_start) AS place "
            "FROM pg_stat_get_activity(NULL) s WHERE s.wait_event_type = 'Lock'"
          : "SELECT l.pid, date_part('epoch', now() - l.waitstart) AS seconds, "
            "row_number() OVER (ORDER BY l.waitstart) AS place "
            "FROM pg_lock_status() l WHERE NOT l.granted";
  return "(SELECT string_agg(concat(w.pid, ':', w.seconds, ':', CASE WHEN w.place <= " +
         std::to_string(traced) +
         " THEN array_to_string(pg_blocking_pids(w.pid), ',') ELSE '?' END), ';') FROM (" +
         waiters + ") w)";
}

std::string activity_sql(bool by_client, int traced, int version) {
  std::string sql = R"(
SELECT d.datname AS database, pg_get_userbyid(g.usesysid) AS role,
       g.application_name AS application, g.backend_type, g.state, g.wait,
       (ARRAY['unix/local', 'plain/local', 'tls/local', 'gss/local',
              'plain/remote', 'tls/remote', 'gss/remote'])[g.link] AS link,
       g.sslversion AS tls_version, g.sslcipher AS tls_cipher,
       g.sessions, g.certificates,
       date_part('epoch', now() - g.xact_start) AS transaction_age,
       date_part('epoch', now() - g.backend_start) AS session_age,
       date_part('epoch', g.backend_start) AS session_start,
       encode(timestamptz_send(now()), 'hex') AS now,
       encode(g.state_changes, 'hex') AS state_changes,
       g.pids, g.lock_waiters,
       CASE WHEN g.lock_waiters IS NOT NULL THEN )";
  sql += lock_waits_sql(version, traced) + " END AS lock_waits";
  if (by_client) sql += ", host(g.client_addr) AS client";
  sql += R"(
  FROM (SELECT s.datid, s.usesysid, s.application_name, s.state,
               CASE WHEN s.backend_type <> 'client backend' THEN s.backend_type END
                 AS backend_type,
               CASE WHEN s.state = 'active' THEN s.wait_event_type || '/' || s.wait_event END
                 AS wait,
               CASE WHEN s.client_addr IS NULL THEN 1
                    WHEN s.client_addr << '127.0.0.0/8' OR s.client_addr = '::1' THEN
                      CASE WHEN s.ssl THEN 3 WHEN s.gss_enc THEN 4 ELSE 2 END
                    ELSE
                      CASE WHEN s.ssl THEN 6 WHEN s.gss_enc THEN 7 ELSE 5 END
               END AS link,
               s.sslversion, s.sslcipher,
               count(*) AS sessions, count(s.ssl_client_dn) AS certificates,
               min(s.xact_start) AS xact_start, min(s.backend_start) AS backend_start,
               string_agg(timestamptz_send(s.state_change), '') AS state_changes,
               array_agg(s.pid) AS pids,
               string_agg(concat(s.pid, ':', date_part('epoch', now() - s.query_start)), ';')
                 FILTER (WHERE s.wait_event_type = 'Lock') AS lock_waiters)";
  if (by_client) sql += ", s.client_addr";
  sql += R"(
          FROM pg_stat_get_activity(NULL) s
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9)";
  if (by_client) sql += ", s.client_addr";
  sql += R"() g
  LEFT JOIN pg_database d ON d.oid = g.datid)";
  return sql;
}

// A reading and the texts that it refers to.
struct ActivityReading {
  ActivityReading(bool by_client, int traced)
      : newer(activity_sql(by_client, traced, 140000)),
        older(activity_sql(by_client, traced, 130000)),
        versions{{{140000, newer}, {130000, older}}},
        reading{.name = by_client ? "activity_by_client" : "activity", .sql = versions} {}

  std::string newer, older;
  std::array<VersionedSql, 2> versions;
  Reading reading;
};

// A value that we SET after connecting has the source `session`, which hides whether the value
// below is the server's: pg_db_role_setting shows that.
constexpr VersionedSql kSettingsSql[] = {{130000, R"(
SELECT s.name, s.reset_val, s.unit, s.pending_restart,
       s.source IN ('client', 'user', 'database', 'database user', 'global') OR
       s.source = 'session' AND EXISTS (
         SELECT FROM pg_db_role_setting o CROSS JOIN unnest(o.setconfig) AS c(entry)
          WHERE split_part(c.entry, '=', 1) = s.name
            AND o.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
            AND o.setdatabase IN
                (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
       ) AS masked
  FROM pg_settings s
 WHERE s.pending_restart OR s.name = ANY ('{
   authentication_timeout, client_connection_check_interval, deadlock_timeout,
   idle_in_transaction_session_timeout, idle_session_timeout, lock_timeout, log_connections,
   log_disconnections, max_connections, max_prepared_transactions, max_wal_senders,
   password_encryption, password_expiration_warning_threshold, reserved_connections,
   restart_after_crash, shared_buffers, ssl, ssl_min_protocol_version, ssl_sni, statement_timeout,
   superuser_reserved_connections, tcp_keepalives_count, tcp_keepalives_idle,
   tcp_keepalives_interval, tcp_user_timeout, track_activities, transaction_timeout,
   wal_sender_shutdown_timeout, wal_sender_timeout, work_mem}'::text[]))"}};

// The counts are sub-selects, so that they cost nothing where there is no override.
constexpr VersionedSql kOverridesSql[] = {{130000, R"(
SELECT split_part(c.entry, '=', 1) AS setting,
       substr(c.entry, strpos(c.entry, '=') + 1) AS value,
       coalesce(d.datname, '') AS database, coalesce(r.rolname, '') AS role,
       coalesce(d.datallowconn AND NOT d.datistemplate, true) AND coalesce(r.rolcanlogin, true)
         AS applies,
       (SELECT count(*) FROM pg_roles WHERE rolcanlogin) AS login_roles,
       (SELECT count(*) FROM pg_database WHERE datallowconn AND NOT datistemplate) AS databases
  FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS c(entry)
  LEFT JOIN pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_roles r ON r.oid = s.setrole
 WHERE split_part(c.entry, '=', 1) = ANY ('{
   authentication_timeout, client_connection_check_interval, deadlock_timeout,
   idle_in_transaction_session_timeout, idle_session_timeout, lock_timeout, statement_timeout,
   tcp_keepalives_idle, tcp_keepalives_interval, tcp_user_timeout, transaction_timeout,
   wal_sender_shutdown_timeout, wal_sender_timeout}'::text[]))"}};

constexpr VersionedSql kLimitsSql[] = {{130000, R"(
SELECT 'database' AS kind, datname AS name, datconnlimit AS connection_limit
  FROM pg_database WHERE datconnlimit >= 0
UNION ALL
SELECT 'role', rolname, rolconnlimit FROM pg_roles WHERE rolconnlimit >= 0)"}};

constexpr VersionedSql kDatabaseStatsSql[] = {{140000, R"(
SELECT datname AS database, xact_commit, xact_rollback, deadlocks,
       date_part('epoch', stats_reset) AS stats_reset,
       sessions, sessions_abandoned, sessions_fatal, sessions_killed,
       session_time, active_time, idle_in_transaction_time
  FROM pg_stat_database WHERE datname IS NOT NULL)"},
                                              {130000, R"(
SELECT datname AS database, xact_commit, xact_rollback, deadlocks,
       date_part('epoch', stats_reset) AS stats_reset
  FROM pg_stat_database WHERE datname IS NOT NULL)"}};

constexpr VersionedSql kHbaRulesSql[] = {
    // 16 added file_name, for `include`.
    {160000, R"(
SELECT regexp_replace(file_name, '.*/', '') || ':' || line_number AS place, type, address, netmask,
       auth_method, 'all' = ANY (database) AND 'all' = ANY (user_name) AS everyone,
       error IS NOT NULL AS broken
  FROM pg_hba_file_rules() WHERE type IS DISTINCT FROM 'local')"},
    {130000, R"(
SELECT 'pg_hba.conf:' || line_number AS place, type, address, netmask,
       auth_method, 'all' = ANY (database) AND 'all' = ANY (user_name) AS everyone,
       error IS NOT NULL AS broken
  FROM pg_hba_file_rules() WHERE type IS DISTINCT FROM 'local')"}};

constexpr Reading kServer{.name = "server", .sql = kServerSql};
constexpr Reading kIdentity{.name = "identity",
                            .sql = kIdentitySql,
                            .refresh = Refresh::kEachConfiguration,
                            .need = Need::kIdentity,
                            .once = true};
constexpr Reading kSettings{
    .name = "settings", .sql = kSettingsSql, .refresh = Refresh::kEachConfiguration};
constexpr Reading kOverrides{.name = "overrides", .sql = kOverridesSql};
constexpr Reading kLimits{.name = "limits", .sql = kLimitsSql};
constexpr Reading kDatabaseStats{.name = "database_stats", .sql = kDatabaseStatsSql};
constexpr Reading kHbaRules{.name = "hba_rules",
                            .sql = kHbaRulesSql,
                            .refresh = Refresh::kEachConfiguration,
                            .need = Need::kHbaRules};

}  // namespace

const Reading& server_reading() { return kServer; }
const Reading& identity_reading() { return kIdentity; }
const Reading& activity_reading(const Options& options) {
  // Readings live as long as the process: as many as there are different options.
  static std::mutex mutex;
  static std::map<std::pair<bool, int>, ActivityReading> readings;
  const std::pair key(options.by_client > 0, options.blocking_traced);
  const std::lock_guard lock(mutex);
  return readings.try_emplace(key, key.first, key.second).first->second.reading;
}
const Reading& settings_reading() { return kSettings; }
const Reading& overrides_reading() { return kOverrides; }
const Reading& limits_reading() { return kLimits; }
const Reading& database_stats_reading() { return kDatabaseStats; }
const Reading& hba_rules_reading() { return kHbaRules; }

}  // namespace pgconn::collectors
