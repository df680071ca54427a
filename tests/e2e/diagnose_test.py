"""`pgconn_exporter diagnose`: what is wrong with a server's connections now, and the fix."""

import contextlib
import json
import threading

import pytest

from tests.support.exporter import run
from tests.support.peers import refusing
from tests.support.process import eventually


def diagnose(*arguments, **keywords):
    return run("diagnose", *arguments, **keywords)


def test_a_healthy_server_is_described_and_its_settings_judged(newest):
    status, text = diagnose(newest.dsn())
    assert status in (0, 1), text
    assert f"127.0.0.1:{newest.port}, database postgres\nPostgreSQL {newest.version}" in text
    assert "primary, as role postgres" in text and "connected: resolve" in text and "connection slots are taken" in text
    assert "certificates are valid for another" in text
    assert "idle_in_transaction_session_timeout is 0" in text and "fix: ALTER" in text
    assert "\x1b" not in text, "colours are for terminals"


def test_the_session_that_everybody_waits_for_comes_first_with_the_sql_that_ends_it(newest):
    newest.psql("CREATE TABLE IF NOT EXISTS diagnosed (a int)")
    with contextlib.closing(newest.connect(application_name="forgetful")) as holder, \
            contextlib.closing(newest.connect(application_name="waiter")) as waiter:
        holder.autocommit = False
        holder.cursor().execute("LOCK diagnosed")
        waiting = threading.Thread(
            target=lambda: waiter.cursor().execute("SET lock_timeout = '60s'; LOCK diagnosed; SELECT 1"))
        waiting.start()
        eventually(lambda: newest.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == [(1,)])
        status, text = diagnose(newest.dsn(), "--json")
        first = json.loads(text)["problems"][0]
        holder.rollback()
        waiting.join()
    assert status == 2 and first["urgency"] == "critical"
    assert first["what"].startswith('1 session waits behind a session that is idle in a transaction:'
                                    ' application "forgetful" of role "postgres"'), first
    # The fix is SQL that runs as it is.
    assert newest.psql(first["fix"]) == []


@pytest.mark.parametrize("change, reason", [
    ({"dbname": "gone"}, 'database "gone" does not exist'),
    ({"user": "nobody_known"}, 'role "nobody_known" does not exist'),
    ({"sslrootcert": "/nonexistent/ca.crt"}, "/nonexistent/ca.crt"),
])
def test_a_server_that_cannot_be_used_says_why_and_what_to_do(newest, change, reason):
    dsn = newest.dsn(**{key: value for key, value in change.items() if key != "user"})
    if "user" in change:
        dsn = newest.dsn(change["user"])
    status, text = diagnose(dsn)
    assert status in (2, 3) and "CRITICAL" in text and reason in " ".join(text.split()), text
    assert "fix:" in text


def test_a_server_that_is_not_there_is_critical():
    with refusing() as port:
        status, text = diagnose(f"host=127.0.0.1 port={port} user=x")
    assert status == 2 and "refused" in text and "phase tcp" in text


@pytest.mark.parametrize("conninfo, message", [
    ("host=a password=hunter2", "a password does not belong"),
    ("hots=a", 'did you mean "host"?'),
])
def test_a_string_that_cannot_be_used_is_unknown_and_not_repeated(conninfo, message):
    status, text = diagnose(conninfo)
    assert status == 3 and message in text and "hunter2" not in text


def test_without_a_string_libpq_s_environment_names_the_server(newest):
    status, text = diagnose(env={"PGHOST": "127.0.0.1", "PGPORT": str(newest.port), "PGUSER": "postgres",
                                 "PGSSLMODE": "require"})
    assert status in (0, 1) and f"127.0.0.1:{newest.port}" in text


def test_a_role_without_privileges_is_told_what_was_not_looked_at(newest):
    newest.psql("CREATE ROLE blind LOGIN")
    try:
        status, text = diagnose(newest.dsn("blind"))
    finally:
        newest.psql("DROP ROLE blind")
    assert status in (0, 1) and "Not looked at:" in text and "pg_read_all_stats" in text


def test_watching_tells_what_drops_connections(newest):
    def terminate():
        # Once it has been held for a while.
        eventually(lambda: newest.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                       " WHERE application_name = 'pgconn_exporter/roundtrip'"
                                       " AND query_start > backend_start + interval '1 s'"))

    killer = threading.Thread(target=terminate)
    killer.start()
    status, text = diagnose(newest.dsn(), "--watch=15s")
    killer.join()
    assert status == 2 and "lost while watching: cause admin_terminate" in text, text
