#include "collectors/postgres/findings.h"

namespace pgconn::collectors {
namespace {

using enum Severity;

constexpr KnownFinding kKnownFindings[] = {
    {.name = "idle_in_transaction_timeout_disabled",
     .severity = kWarning,
     .when = "idle_in_transaction_session_timeout is 0 for a login role in a database",
     .reason = "A client that forgets an open transaction keeps its locks and its slot and holds "
               "back vacuum indefinitely.",
     .fix = "{setting} idle_in_transaction_session_timeout = '5min';"},
    {.name = "idle_in_transaction_timeout_too_low",
     .severity = kWarning,
     .when = "idle_in_transaction_session_timeout is set below 1 s",
     .reason = "A pause of the client (garbage collection, a slow network) then costs it the "
               "connection with 25P03.",
     .fix = "{setting} idle_in_transaction_session_timeout = '30s';"},
    {.name = "idle_session_timeout_disabled",
     .when = "idle_session_timeout is 0 everywhere",
     .reason = "Sessions that nobody uses keep their slots. No change is needed behind a pool: it "
               "retires idle sessions itself, and a timeout below its own would cut its "
               "connections.",
     .fix = "ALTER ROLE <role without a pool> SET idle_session_timeout = '1h';",
     .min_version = 140000},
    {.name = "transaction_timeout_disabled",
     .when = "transaction_timeout is 0 everywhere",
     .reason = "idle_in_transaction_session_timeout only ends idle transactions: one that keeps "
               "sending statements can stay open indefinitely, and holds back vacuum.",
     .fix = "ALTER ROLE <application role> SET transaction_timeout = '15min';",
     .min_version = 170000},
    {.name = "statement_timeout_disabled",
     .when = "statement_timeout is 0 everywhere",
     .reason = "A statement that never ends keeps its session, its locks and its slot. With a "
               "timeout it is canceled with 57014; the connection survives.",
     .fix = "ALTER ROLE <application role> SET statement_timeout = '30s';"},
    {.name = "statement_timeout_global",
     .when = "statement_timeout is set for the whole server",
     .reason = "It also cancels dumps, index builds and other maintenance. Set it for the roles of "
               "applications.",
     .fix = "ALTER ROLE <application role> SET statement_timeout = '{detail}'; ALTER SYSTEM RESET "
            "statement_timeout; SELECT pg_reload_conf();"},
    {.name = "keepalive_slower_than_path",
     .severity = kWarning,
     .when = "tcp_keepalives_idle or tcp_keepalives_interval is not below the idle limit of the "
             "network path",
     .reason = "The path forgets an idle connection before the server's next keepalive can keep it "
               "alive; the next statement hangs or fails.",
     .fix = "{detail} SELECT pg_reload_conf(); -- each session from its next statement on"},
    {.name = "keepalive_budget_too_long",
     .severity = kWarning,
     .when = "tcp_keepalives_idle + tcp_keepalives_interval * tcp_keepalives_count is above the "
             "configured budget",
     .reason = "The session of a client that vanished keeps its slot and its locks until the last "
               "keepalive has failed.",
     .fix =
         "ALTER SYSTEM SET tcp_keepalives_idle = 60; ALTER SYSTEM SET tcp_keepalives_interval = "
         "10; ALTER SYSTEM SET tcp_keepalives_count = 6; SELECT pg_reload_conf(); -- each session "
         "from its next statement on"},
    {.name = "tcp_user_timeout_unset",
     .when = "tcp_user_timeout is 0",
     .reason = "Data sent to a client that vanished is sent again for about 15 minutes (Linux's "
               "tcp_retries2) before the session ends.",
     .fix = "ALTER SYSTEM SET tcp_user_timeout = '30s'; SELECT pg_reload_conf();"},
    {.name = "client_connection_check_interval_unset",
     .when = "client_connection_check_interval is 0",
     .reason = "The query of a client that vanished runs to its end before the server notices.",
     .fix = "ALTER SYSTEM SET client_connection_check_interval = '10s'; SELECT pg_reload_conf();",
     .min_version = 140000},
    {.name = "tls_off",
     .severity = kWarning,
     .when = "ssl is off",
     .reason = "The password exchange and all data cross the network in plain text, and clients "
               "that require TLS cannot connect.",
     .fix = "ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf(); -- needs ssl_cert_file and "
            "ssl_key_file"},
    {.name = "tls_min_protocol_old",
     .severity = kWarning,
     .when = "ssl_min_protocol_version is below TLSv1.2",
     .reason = "TLS 1.0 and 1.1 are deprecated, with known weaknesses.",
     .fix = "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2'; SELECT pg_reload_conf();"},
    {.name = "plaintext_remote_allowed",
     .severity = kWarning,
     .when = "pg_hba.conf lets clients on other hosts in without encryption",
     .reason = "A client with a weak sslmode sends its data in plain text, and nobody notices.",
     .fix = "-- write hostssl instead of host at {detail}; then: SELECT pg_reload_conf();"},
    {.name = "reserved_slots_zero",
     .severity = kWarning,
     .when = "superuser_reserved_connections is 0",
     .reason = "When all slots are taken, nobody can connect to see why.",
     .fix = "ALTER SYSTEM SET superuser_reserved_connections = 3; -- needs a restart"},
    {.name = "log_connections_off",
     .when = "log_connections is off",
     .reason = "The server's log does not say who connected, when and from where.",
     .fix = "ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf();"},
    {.name = "log_disconnections_off",
     .when = "log_disconnections is off",
     .reason = "The server's log does not say when sessions ended and how long they lasted.",
     .fix = "ALTER SYSTEM SET log_disconnections = on; SELECT pg_reload_conf();"},
    {.name = "pending_restart",
     .severity = kWarning,
     .when = "a setting was changed that needs a restart to take effect",
     .reason = "The server does not run with the values in its files; the next restart, planned or "
               "not, changes its behaviour.",
     .fix = "-- restart the server at a time of your choice; waiting: {detail}"},
    {.name = "password_encryption_md5",
     .severity = kWarning,
     .when = "password_encryption is md5",
     .reason = "An MD5 hash can be used to log in without the password, and MD5 passwords are "
               "deprecated.",
     .fix = "ALTER SYSTEM SET password_encryption = 'scram-sha-256'; SELECT pg_reload_conf(); -- "
            "then set each password again"},
    {.name = "password_to_unverified_server",
     .severity = kWarning,
     .when = "the exporter's own dsn has a password, goes over TCP, and verifies neither the "
             "server's certificate nor the login method",
     .reason = "An impostor that answers in the server's place and asks for the password in clear "
               "text gets it; encryption alone does not show who answers.",
     .fix = "-- in the dsn: sslmode=verify-full sslrootcert=<file>, or channel_binding=require; "
            "with libpq 16 or newer also require_auth=scram-sha-256"},
    {.name = "login_warned",
     .severity = kWarning,
     .when = "the server warned the exporter when it logged in",
     .reason = "Every login of this kind gets the warning: a password that expires soon or is "
               "stored as MD5 (19 and newer), a database whose collations have changed.",
     .fix = "-- the server says: {detail}"},
};

}  // namespace

std::span<const KnownFinding> known_findings() { return kKnownFindings; }

}  // namespace pgconn::collectors
