// The first step to fix each finding, in one line; the exporter's own page and `pgconn_exporter list findings` say more.

export const FIXES: Record<string, string> = {
  idle_in_transaction_timeout_disabled: "ALTER ROLE … SET idle_in_transaction_session_timeout = '5min'",
  idle_in_transaction_timeout_too_low: "ALTER ROLE … SET idle_in_transaction_session_timeout = '30s'",
  idle_session_timeout_disabled: "ALTER ROLE <role without a pool> SET idle_session_timeout = '1h'",
  transaction_timeout_disabled: "ALTER ROLE <application role> SET transaction_timeout = '15min'",
  statement_timeout_disabled: "ALTER ROLE <application role> SET statement_timeout = '30s'",
  statement_timeout_global: 'Set statement_timeout for the roles of applications, then ALTER SYSTEM RESET it',
  keepalive_slower_than_path: 'ALTER SYSTEM SET tcp_keepalives_idle below the limit of the path',
  keepalive_budget_too_long: 'ALTER SYSTEM SET tcp_keepalives_idle = 60, …_interval = 10, …_count = 6',
  tcp_user_timeout_unset: "ALTER SYSTEM SET tcp_user_timeout = '30s'",
  client_connection_check_interval_unset: "ALTER SYSTEM SET client_connection_check_interval = '10s'",
  tls_off: 'ALTER SYSTEM SET ssl = on; it needs a certificate and its key',
  tls_min_protocol_old: "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2'",
  plaintext_remote_allowed: 'Write hostssl instead of host in pg_hba.conf, then reload',
  reserved_slots_zero: 'ALTER SYSTEM SET superuser_reserved_connections = 3; it needs a restart',
  log_connections_off: 'ALTER SYSTEM SET log_connections = on',
  log_disconnections_off: 'ALTER SYSTEM SET log_disconnections = on',
  pending_restart: 'Restart the server at a time of your choice',
  password_encryption_md5: "ALTER SYSTEM SET password_encryption = 'scram-sha-256', then set the passwords again",
  login_warned: 'The exporter’s page and log have the server’s message; a password needs a later VALID UNTIL',
  password_to_unverified_server:
    'In the exporter’s dsn: sslmode=verify-full with sslrootcert, or channel_binding=require',
};
