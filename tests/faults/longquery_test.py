"""A query that is busy and silent for a long time: whether it can finish, and how its end is reported."""

import pytest

from tests.faults.held import drops, failures, incidents, shut_down
from tests.support import logfmt
from tests.support.process import eventually

APPLICATION = "pgconn_exporter/longquery"
LONG = {"interval": "12s", "sleep": "10s", "timeout": "1s"}
SHORT = {"interval": "4s", "sleep": "2s", "timeout": "900ms"}

# Takes a transaction number, so that the snapshots after it differ from those before.
A_WRITER = "SELECT txid_current()"
# What the backend of the query holds on to, and for how long its transaction has lasted.
FOOTPRINT = """
    SELECT query_start, xact_start, coalesce(extract(epoch FROM clock_timestamp() - xact_start)::float, 0),
           backend_xid IS NOT NULL, backend_xmin::text,
           (SELECT array_agg(locktype || ' ' || mode) FROM pg_locks l WHERE l.pid = a.pid)
      FROM pg_stat_activity a WHERE pid = %s
"""


def pid_of_query(scene):
    """The backend of the query, once it is under way."""
    rows = eventually(lambda: scene.sql(
        "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"
        " AND wait_event = 'PgSleep'", APPLICATION,
    ), what="the query")
    return rows[0][0]


def lost(exporter):
    return logfmt.records(exporter.log_lines, "connections were lost")


def until_succeeded(exporter):
    def succeeded():
        families = exporter.metrics()
        return families if families.value("pgconn_probe_success", probe="longquery") == 1 else None

    return eventually(succeeded, what="a query that finished")


def test_a_query_that_can_finish_takes_as_long_as_it_should(scene):
    exporter = scene.watch(probes={"longquery": SHORT})
    families = until_succeeded(exporter)
    took = families.value("pgconn_probe_last_duration_seconds", probe="longquery", phase="query")
    assert took >= 2
    assert failures(families, "longquery") == {} and drops(families) == {}


def test_a_statement_timeout_for_others_does_not_end_it(scene):
    scene.role("monitor", "pg_monitor")
    scene.sql("ALTER ROLE monitor SET statement_timeout = '500ms'")
    families = until_succeeded(scene.watch("monitor", probes={"longquery": SHORT}))
    assert failures(families, "longquery") == {}


def test_while_it_sleeps_it_locks_nothing_writes_nothing_and_renews_its_snapshot_each_second(scene):
    scene.watch(probes={"longquery": LONG})
    pid = pid_of_query(scene)
    statements, transactions, snapshots = set(), set(), set()

    def look():
        scene.sql(A_WRITER)
        (row,) = scene.sql(FOOTPRINT, pid)
        statement, transaction, age, writes, snapshot, locks = row
        assert age < 4 and not writes and locks in (None, ["virtualxid ExclusiveLock"]), row
        statements.add(statement)
        transactions.add(transaction)
        snapshots.add(snapshot)
        return len(transactions) > 3 and len(snapshots - {None}) > 3

    # A transaction, or a snapshot, that began with the statement would stay the same.
    eventually(look, what="transactions and snapshots that are not one")
    assert len(statements) == 1


def test_one_that_is_terminated_is_a_drop_by_the_administrator(scene):
    exporter = scene.watch(probes={"longquery": LONG, "roundtrip": {"interval": "2s", "timeout": "1900ms"}})
    pid = pid_of_query(scene)
    assert exporter.metrics().value("pgconn_held_connections", probe="longquery") == 1
    assert scene.value("SELECT pg_terminate_backend(%s)", pid)
    (record,) = eventually(lambda: lost(exporter), what="an incident")
    assert record["cause"] == "admin_terminate" and record["scope"] == "one", record
    assert record["probe"] == "longquery" and record["phase"] == "query", record
    assert record["reason"] == "terminated" and record["sqlstate"] == "57P01", record
    families = exporter.metrics()
    assert drops(families) == {("longquery", "admin_terminate", "57P01"): 1}
    assert incidents(families) == {("admin_terminate", "one"): 1}
    assert failures(families, "longquery") == {("query", "terminated", "57P01"): 1}
    assert families.value("pgconn_probe_success", probe="longquery") == 0
    assert families.value("pgconn_held_connections", probe="longquery") == 0


def test_one_that_is_cancelled_fails_and_is_no_drop(scene):
    exporter = scene.watch(probes={"longquery": LONG})
    assert scene.value("SELECT pg_cancel_backend(%s)", pid_of_query(scene))
    canceled = ("query", "canceled", "57014")
    eventually(lambda: failures(exporter.metrics(), "longquery") == {canceled: 1}, what="a failure")
    assert drops(exporter.metrics()) == {} and lost(exporter) == []


def test_it_falls_with_the_others_when_the_server_stops(scene, hold):
    held = hold(longquery=LONG)
    pid_of_query(scene)
    shut_down(scene.box)
    scene.box.start()
    scene.connect_admin()
    held.until_told(cause="server_shutdown", scope="all", drops="4", held="4")
    assert drops(held.metrics()) == {
        (probe, "server_shutdown", "57P01"): count
        for probe, count in {"roundtrip": 1, "idle": 2, "longquery": 1}.items()
    }


@pytest.mark.newest_only
def test_one_that_the_exporter_ends_itself_is_no_drop(scene):
    exporter = scene.watch(probes={"longquery": LONG})
    pid = pid_of_query(scene)
    noticed = scene.box.log_count("connection to client lost")
    exporter.stop()
    scene.until("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", pid)
    assert lost(exporter) == []
    if scene.box.version >= 14:  # before, it ends with its statement
        assert scene.box.log_count("connection to client lost") == noticed + 1
