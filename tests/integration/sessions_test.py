"""Client sessions by owner and state, and for how long they have been in it."""

import socket
import struct

import pytest

from tests.integration.scenes import by
from tests.support.process import eventually

TRANSACTION = "idle in transaction"
ABORTED = "idle in transaction (aborted)"
AGE_OF_ADMIN = """
    SELECT extract(epoch FROM clock_timestamp() - backend_start) FROM pg_stat_activity
     WHERE pid = pg_backend_pid()"""


def counts(families, application):
    samples = families.samples("pgconn_sessions", application=application)
    return by(("database", "user", "state"), samples)


def test_idle_sessions_are_counted_by_database_user_and_application(scene):
    shop, alice = scene.database("shop"), scene.role("alice")
    for _ in range(3):
        scene.session(alice, shop, "web")
    for _ in range(2):
        scene.session(alice, "postgres", "web")
    scene.session("postgres", shop, "web")
    scene.session(alice, shop, "batch")
    families = scene.watch().metrics("collect[]=sessions")
    assert counts(families, "web") == {
        ("shop", "alice", "idle"): 3,
        ("postgres", "alice", "idle"): 2,
        ("shop", "postgres", "idle"): 1,
    }
    assert counts(families, "batch") == {("shop", "alice", "idle"): 1}
    assert counts(families, "admin") == {("postgres", "postgres", "idle"): 1}
    assert families.sum("pgconn_sessions") == 8


def test_a_login_under_way_is_a_session_that_starts_where_the_server_shows_it(scene):
    scene.role("slow")
    scene.box.hba("hostnossl all slow 127.0.0.1/32 scram-sha-256")
    try:
        with socket.create_connection(("127.0.0.1", scene.box.port), 10) as login:
            words = struct.pack("!i", 3 << 16) + b"user\0slow\0\0"
            login.sendall(struct.pack("!i", len(words) + 4) + words)
            assert login.recv(1) == b"R"  # asked for the password, which does not come
            families = scene.watch().metrics()
            # PostgreSQL 18 shows it before it knows whose it is, and it has its slot.
            starting = {"": 1} if scene.box.version >= 18 else {}
            assert by("user", families.samples("pgconn_sessions", state="starting")) == starting
    finally:
        scene.box.hba()


def test_a_session_that_ends_is_no_longer_counted(scene):
    first, _ = scene.session(application="web"), scene.session(application="web")
    exporter = scene.watch()
    assert exporter.metrics().sum("pgconn_sessions", application="web") == 2
    first.close()
    scene.wait_gone(first)
    assert exporter.metrics().sum("pgconn_sessions", application="web") == 1


def test_states_are_named_as_postgresql_names_them(scene):
    scene.session(application="app")
    for _ in range(2):
        scene.transaction("SELECT 1", application="app")
    aborted = scene.transaction(application="app")
    with pytest.raises(Exception, match="division by zero"):
        aborted.run("SELECT 1/0")
    for _ in range(2):
        scene.session(application="app").start("SELECT pg_sleep(600)")
    scene.session(application="app").run("SET track_activities = off")
    scene.until("SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    families = scene.watch().metrics("collect[]=sessions")
    assert by("state", families.samples("pgconn_sessions", application="app")) == {
        "idle": 1, TRANSACTION: 2, ABORTED: 1, "active": 2, "disabled": 1,
    }


def test_active_sessions_that_wait_are_counted_by_what_they_wait_for(scene):
    scene.session().run("SELECT pg_advisory_lock(7)")
    sleepers = [scene.session().start("SELECT pg_sleep(600)") for _ in range(3)]
    waiters = [scene.session().start("SELECT pg_advisory_lock(7)") for _ in range(2)]
    scene.until("SELECT count(*) = 3 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    scene.wait_for_lock(*waiters)
    families = scene.watch().metrics("collect[]=sessions")
    # Nothing for sessions that wait for their client: they are idle.
    waiting = by(("wait_event_type", "wait_event"), families.samples("pgconn_sessions_waiting"))
    assert waiting == {("Timeout", "PgSleep"): len(sleepers), ("Lock", "advisory"): len(waiters)}


def test_the_age_of_a_state_and_the_age_of_its_transaction_are_told_apart(scene):
    session = scene.transaction("SELECT 1", application="app")
    scene.wait_for_age(session, "xact_start", 1.2)
    session.run("SELECT 1")  # a new state, the same transaction
    scene.wait_for_age(session, "state_change", 0.3)
    exporter = scene.watch()

    def ages():
        return scene.age(session, "state_change"), scene.age(session, "xact_start")

    state_before, transaction_before = ages()
    families = exporter.metrics("collect[]=sessions")
    state_after, transaction_after = ages()
    who = {"database": "postgres", "user": "postgres", "application": "app", "state": TRANSACTION}
    state = families.value("pgconn_session_state_oldest_seconds", **who)
    assert state_before <= state <= state_after
    transaction = families.value("pgconn_transaction_oldest_seconds", **who)
    assert transaction_before <= transaction <= transaction_after
    # An idle session is in no transaction.
    assert families.samples("pgconn_transaction_oldest_seconds", application="admin") == []


def test_the_oldest_of_several_sessions_is_told(scene):
    oldest = scene.session(application="app")
    scene.wait_for_age(oldest, "state_change", 0.5)
    scene.session(application="app")
    exporter = scene.watch()
    before = scene.age(oldest, "state_change")
    families = exporter.metrics("collect[]=sessions")
    value = families.value("pgconn_session_state_oldest_seconds", application="app", state="idle")
    assert before <= value <= scene.age(oldest, "state_change")
    # No session is older than the admin's.
    before = float(scene.value(AGE_OF_ADMIN))
    value = exporter.metrics("collect[]=sessions").value("pgconn_session_oldest_seconds")
    assert before <= value <= float(scene.value(AGE_OF_ADMIN))


def test_sessions_over_an_age_are_counted_step_by_step(scene):
    old = [scene.transaction("SELECT 1") for _ in range(2)]
    for session in old:
        scene.wait_for_age(session, "state_change", 2)
    young = scene.transaction("SELECT 1")
    scene.wait_for_age(young, "state_change", 1)
    fresh = scene.transaction("SELECT 1")
    exporter = scene.watch(collectors={"sessions": {"ages": ["1s", "2s", "1h"]}})

    def steps():
        """What the exporter says while new sessions and states are still young."""
        young.run("SELECT 1")
        scene.wait_for_age(young, "state_change", 1)
        fresh.run("SELECT 1")
        families = exporter.metrics("collect[]=sessions")
        if scene.age(young, "state_change") > 2 or scene.age(fresh, "state_change") > 1:
            return None
        return by("age", families.samples("pgconn_sessions_over_age", state=TRANSACTION))

    assert eventually(steps) == {"1": 3, "2": 2, "3600": 0}


def test_steps_without_sessions_are_zero_for_every_usual_state(scene):
    families = scene.watch().metrics("collect[]=sessions")
    steps = by(("state", "age"), families.samples("pgconn_sessions_over_age"))
    zero = {step for step, sessions in steps.items() if sessions == 0}
    assert {(TRANSACTION, "10"), (ABORTED, "3600"), ("active", "300"), ("idle", "900")} <= zero


def test_sessions_by_client_are_reported_only_when_asked_for(scene):
    for _ in range(2):
        scene.session(application="app")
    scene.session(application="app", **scene.transport("unix"))
    assert scene.watch().metrics().samples("pgconn_sessions_by_client") == []
    for top, expected in (
        (5, {"127.0.0.1": 3, "unix": 1}),  # the admin's too
        (1, {"127.0.0.1": 3, "other": 1}),
    ):
        families = scene.watch(collectors={"sessions": {"by_client": top}}).metrics()
        assert by("client", families.samples("pgconn_sessions_by_client")) == expected
