-- The role that pgconn_exporter logs in as, with the least that it needs. Run it as a superuser, or as your provider's
-- administrator, in the database that the exporter's dsn names. It can be run again. Set a password afterwards, such as with
-- psql's \password, or let the role log in with a certificate or a token.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgconn') THEN
    -- Two exporters with the default of 7 connections each, and some that are just being replaced.
    CREATE ROLE pgconn LOGIN CONNECTION LIMIT 16;
  END IF;
END
$$;

-- Other roles' sessions: without it the collectors sessions, blocking and transport are skipped.
GRANT pg_read_all_stats TO pgconn;
-- Settings that only superusers see otherwise.
GRANT pg_read_all_settings TO pgconn;

-- What only superusers may see unless it is granted. The rules of pg_hba.conf: who may connect without TLS or with a weak
-- method. Providers may refuse it; then that finding is left out.
DO $$
BEGIN
  GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO pgconn;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'pg_hba_file_rules() cannot be granted here: its findings are left out';
END
$$;

-- From PostgreSQL 16 on: slots that are kept for it when all others are taken (reserved_connections).
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT pg_use_reserved_connections TO ' || quote_ident('pgconn');
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'pg_use_reserved_connections cannot be granted here: the exporter competes with everybody for the last slot';
END
$$;

-- Only for `server_log` with `from: sql`. With the second the role can read every file in the data directory.
-- GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_logdir() TO pgconn;
-- GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO pgconn;
