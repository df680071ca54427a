#include "collectors/pgbouncer/findings.h"

namespace pgconn::collectors {
namespace {

using enum Severity;

constexpr KnownFinding kKnownFindings[] = {
    {.name = "pgbouncer_server_idle_timeout_above_path",
     .severity = kWarning,
     .when = "server_idle_timeout is not below the idle limit of the path to the server "
             "(path_idle_limit of the target), and keepalives come later or not at all",
     .reason =
         "The path forgets a server connection that is idle in the pool; the client that gets "
         "it next hangs or loses its query.",
     .fix = "{detail}"},
    {.name = "pgbouncer_idle_transaction_timeout_disabled",
     .severity = kWarning,
     .when = "idle_transaction_timeout is 0, and so is transaction_timeout (1.25 and newer)",
     .reason =
         "A client that forgets an open transaction keeps a server of its pool; a few of them "
         "and everybody else waits.",
     .fix = "idle_transaction_timeout = 60 ; slightly below the server's "
            "idle_in_transaction_session_timeout"},
    {.name = "pgbouncer_query_wait_timeout_disabled",
     .severity = kWarning,
     .when = "query_wait_timeout is 0",
     .reason = "Clients wait for a server without end: an application hangs where it should see an "
               "error, and the queue grows until max_client_conn is reached.",
     .fix = "query_wait_timeout = 30 ; below the patience of the applications"},
    {.name = "pgbouncer_server_lifetime_short",
     .when = "server_lifetime is below a minute; 0 closes each connection after one use",
     .reason = "Connections are replaced before they pay off: each new one costs the server a "
               "process, a login and cold caches.",
     .fix = "server_lifetime = 3600"},
    {.name = "pgbouncer_keepalive_off",
     .severity = kWarning,
     .when = "tcp_keepalive is 0",
     .reason = "A client or server that vanished without a word keeps its place until something is "
               "sent to it, and a path forgets idle connections.",
     .fix = "tcp_keepalive = 1; tcp_keepidle = 60; tcp_keepintvl = 10; tcp_keepcnt = 6"},
    {.name = "pgbouncer_server_tls_weak",
     .severity = kWarning,
     .when = "server_tls_sslmode is disable, allow or prefer, and a server is on another host",
     .reason = "Passwords and data may cross the network between PgBouncer and the server in plain "
               "text, and nobody notices.",
     .fix = "server_tls_sslmode = verify-full; server_tls_ca_file = <file>"},
    {.name = "pgbouncer_reuseport_without_peers",
     .severity = kWarning,
     .when = "so_reuseport is on and peer_id is 0",
     .reason = "Processes that share a port cannot tell each other's cancel requests: a cancelled "
               "query goes on. Nor can the exporter tell the processes apart.",
     .fix = "peer_id = <another one for each process>; [peers] <peer_id> = host=<its "
            "unix_socket_dir>; it needs PgBouncer 1.19 or newer"},
    {.name = "pgbouncer_known_holes",
     .when = "the release has security holes that a later one fixed",
     .reason =
         "The newest of them let anybody who reaches the port crash PgBouncer (before 1.25.2). "
         "Distributions fix holes without changing the release: compare with your package's "
         "changelog.",
     .fix = "; upgrade to {detail}"},
};

}  // namespace

std::span<const KnownFinding> known_pooler_findings() { return kKnownFindings; }

}  // namespace pgconn::collectors
