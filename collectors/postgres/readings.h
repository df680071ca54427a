// All questions this program asks a server, as SQL by server version. Constants that live as long
// as the process; any thread. Each function says which view it reads and which columns the answer
// has.
#pragma once

#include "collectors/collector.h"

namespace pgconn::collectors {

// One row about the server and what our role may see: version, in_recovery, start_time and
// config_load_time and clock (Unix seconds), address (and port, as the server has them), role,
// sees_sessions, sees_settings, sees_logs, sees_hba_rules, sees_identity.
const Reading& server_reading();

// One row that tells a server from others: system_identifier, timeline (NULL on a standby, which
// may change it any time).
const Reading& identity_reading();

// pg_stat_get_activity(), grouped by the server: see activity.h. The one reading of sessions;
// with Options::by_client it is grouped by client address as well; Options::blocking_traced bounds
// for how many waiters pg_blocking_pids() is called.
const Reading& activity_reading(const Options& options);

// pg_settings, only those we use or that wait for a restart: name, reset_val, unit,
// pending_restart, masked (reset_val is not the server's own value but one for our session).
const Reading& settings_reading();

// pg_db_role_setting, one row a time setting: setting, value, database, role (empty for all),
// applies (the role may log in and the database may be connected to), login_roles, databases.
const Reading& overrides_reading();

// pg_database.datconnlimit and pg_roles.rolconnlimit where set: kind (database, role), name,
// connection_limit.
const Reading& limits_reading();

// pg_stat_database without the row of shared objects.
const Reading& database_stats_reading();

// pg_hba_file_rules() without local lines: place (file:line), type, address, netmask, auth_method,
// everyone (any database, any role), broken.
const Reading& hba_rules_reading();

}  // namespace pgconn::collectors
