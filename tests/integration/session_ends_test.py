"""How sessions and transactions ended, by PostgreSQL's own counters."""

import psycopg2
import pytest

from tests.integration.scenes import by
from tests.support.process import eventually

SINCE_14 = "the server counts the ends of sessions since PostgreSQL 14"


@pytest.fixture
def since_14(box):
    if box.version < 14:
        pytest.skip(SINCE_14)


def ended(families, database):
    return by("reason", families.samples("pgconn_sessions_ended_total", database=database))


def become(exporter, name, expected, **labels):
    """Waits for a counter: servers publish theirs with a delay."""

    def arrived():
        value = exporter.metrics("collect[]=session_ends").value(name, **labels)
        assert value is None or value <= expected, f"{name}{labels} is {value}, beyond {expected}"
        return value == expected

    eventually(arrived, what=f"{name}{labels} of {expected}")


def test_before_14_only_transactions_and_deadlocks_are_reported(scene):
    families = scene.watch().metrics("collect[]=session_ends")
    has_ends = scene.box.version >= 14
    for name in ("pgconn_sessions_established_total", "pgconn_sessions_ended_total",
                 "pgconn_session_seconds_total"):
        assert bool(families.samples(name)) == has_ends
    assert len(families.samples("pgconn_deadlocks_total", database="postgres")) == 1
    outcomes = by("outcome", families.samples("pgconn_transactions_total", database="postgres"))
    assert outcomes.keys() == {"commit", "rollback"}


@pytest.mark.usefixtures("since_14")
def test_a_terminated_session_was_killed(scene):
    database = scene.database("ends")
    exporter = scene.watch()
    session = scene.session(database=database)
    scene.sql("SELECT pg_terminate_backend(%s)", session.pid)
    become(exporter, "pgconn_sessions_ended_total", 1, database=database, reason="killed")
    assert ended(exporter.metrics(), database) == {"killed": 1, "fatal": 0, "abandoned": 0}


@pytest.mark.usefixtures("since_14")
def test_a_session_ended_by_its_idle_in_transaction_timeout_was_fatal(scene):
    database = scene.database("ends")
    exporter = scene.watch()
    session = scene.session(database=database)
    session.run("SET idle_in_transaction_session_timeout = '50ms'")
    session.run("BEGIN")
    scene.wait_gone(session)
    become(exporter, "pgconn_sessions_ended_total", 1, database=database, reason="fatal")
    assert ended(exporter.metrics(), database) == {"killed": 0, "fatal": 1, "abandoned": 0}


@pytest.mark.usefixtures("since_14")
@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_a_client_that_vanishes_abandons_its_session(scene, sslmode):
    database = scene.database("ends")
    exporter = scene.watch()
    session = scene.session(database=database, sslmode=sslmode, sslrootcert=None)
    session.vanish()
    scene.wait_gone(session)
    become(exporter, "pgconn_sessions_ended_total", 1, database=database, reason="abandoned")
    assert ended(exporter.metrics(), database) == {"killed": 0, "fatal": 0, "abandoned": 1}


@pytest.mark.usefixtures("since_14")
def test_a_session_that_closes_properly_is_established_and_ends_without_a_reason(scene):
    database = scene.database("ends")
    exporter = scene.watch()
    for _ in range(3):
        session = scene.session(database=database)
        session.close()
        scene.wait_gone(session)
    become(exporter, "pgconn_sessions_established_total", 3, database=database)
    assert ended(exporter.metrics(), database) == {"killed": 0, "fatal": 0, "abandoned": 0}


@pytest.mark.usefixtures("since_14")
def test_the_time_sessions_spend_is_reported_in_seconds_by_what_they_did(scene):
    database = scene.database("ends")
    exporter = scene.watch()
    opened = scene.value("SELECT clock_timestamp()")
    session = scene.session(database=database)
    session.run("SELECT pg_sleep(0.4)")
    session.run("BEGIN")
    scene.wait_for_age(session, "state_change", 0.6)
    session.run("COMMIT")
    session.close()
    scene.wait_gone(session)
    lived = float(scene.value("SELECT extract(epoch FROM clock_timestamp() - %s)", opened))

    def spent():
        samples = exporter.metrics("collect[]=session_ends").samples(
            "pgconn_session_seconds_total", database=database
        )
        seconds = by("kind", samples)
        return seconds if seconds and seconds["session"] >= 1 else None

    seconds = eventually(spent)
    assert seconds["session"] <= lived
    assert seconds.keys() == {"session", "active", "idle_in_transaction"}
    assert 0.4 <= seconds["active"] < seconds["session"] - 0.6
    assert 0.6 <= seconds["idle_in_transaction"] <= seconds["session"] - 0.4


def test_rollbacks_and_deadlocks_are_counted(scene):
    database = scene.database("ends")
    exporter = scene.watch()
    first, second = (scene.session(database=database) for _ in range(2))
    for session, key in ((first, 1), (second, 2)):
        session.run("SET deadlock_timeout = '10ms'")
        session.run("BEGIN")
        session.run(f"SELECT pg_advisory_xact_lock({key})")
    first.start("SELECT pg_advisory_xact_lock(2)")
    second.start("SELECT pg_advisory_xact_lock(1)")
    scene.until(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state LIKE %s)", "%(aborted)"
    )
    for session in (first, second):
        try:
            session.wait()
        except psycopg2.errors.DeadlockDetected:
            pass
        session.run("ROLLBACK")
        session.close()
    become(exporter, "pgconn_deadlocks_total", 1, database=database)
    become(exporter, "pgconn_transactions_total", 2, database=database, outcome="rollback")


def test_a_reset_of_the_statistics_is_reported_with_its_time(scene):
    database = scene.database("ends")
    exporter = scene.watch()
    session = scene.session(database=database)
    before = float(scene.value("SELECT extract(epoch FROM clock_timestamp())"))
    session.run("SELECT pg_stat_reset()")

    def reset_time():
        return exporter.metrics().value("pgconn_stats_reset_time_seconds", database=database)

    reset = eventually(lambda: (reset_time() or 0) >= before - 0.001 and reset_time())
    assert reset <= float(scene.value("SELECT extract(epoch FROM clock_timestamp())"))
