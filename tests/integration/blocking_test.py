"""Who waits for locks, who is at the root, and how deep the chain is."""

from tests.integration.scenes import by


def collect(scene):
    return scene.watch().metrics("collect[]=blocking")


def roots(families):
    subject = ("database", "user", "application", "state")
    return by(subject, families.samples("pgconn_blocking_sessions"))


def test_without_waiters_everything_is_zero(scene):
    scene.transaction("SELECT pg_advisory_xact_lock(1)")
    families = collect(scene)
    assert families.value("pgconn_blocked_sessions", database="postgres") == 0
    assert families.value("pgconn_blocking_chain_depth") == 0
    for absent in ("pgconn_blocked_oldest_seconds", "pgconn_blocking_sessions",
                   "pgconn_blocked_by_idle_in_transaction"):
        assert families.samples(absent) == []


def test_a_chain_of_three_behind_an_idle_transaction_is_reported_exactly(scene):
    scene.table()
    scene.role("batch")
    scene.transaction("UPDATE items SET n = 1 WHERE id = 1", role="batch", application="nightly")
    first = scene.transaction("UPDATE items SET n = 2 WHERE id = 2", application="web")
    first.start("UPDATE items SET n = 2 WHERE id = 1")
    scene.wait_for_lock(first)
    second = scene.transaction("UPDATE items SET n = 3 WHERE id = 3", application="web")
    second.start("UPDATE items SET n = 3 WHERE id = 2")
    scene.wait_for_lock(second)
    third = scene.session(application="web").start("UPDATE items SET n = 4 WHERE id = 3")
    scene.wait_for_lock(third)
    scene.wait_for_age(third, "query_start", 0.2)

    exporter = scene.watch()
    oldest_before = scene.age(first, "query_start")
    families = exporter.metrics("collect[]=blocking")
    oldest_after = scene.age(first, "query_start")
    assert families.value("pgconn_blocked_sessions", database="postgres") == 3
    assert families.value("pgconn_blocking_chain_depth") == 3
    assert roots(families) == {("postgres", "batch", "nightly", "idle in transaction"): 1}
    behind = families.samples("pgconn_blocked_by_idle_in_transaction")
    assert by(("database", "user", "application"), behind) == {("postgres", "batch", "nightly"): 3}
    oldest = families.value("pgconn_blocked_oldest_seconds", database="postgres")
    assert oldest_before <= oldest <= oldest_after


def test_a_statement_that_ran_before_it_waited_counts_its_wait(scene):
    scene.transaction("SELECT pg_advisory_xact_lock(3)")
    waiter = scene.session().start(
        "DO $$ BEGIN PERFORM pg_sleep(1); PERFORM pg_advisory_xact_lock(3); END $$"
    )
    scene.wait_for_lock(waiter)
    families = collect(scene)
    statement = scene.age(waiter, "query_start")
    oldest = families.value("pgconn_blocked_oldest_seconds", database="postgres")
    if scene.box.version >= 14:
        assert oldest <= statement - 1
    else:
        assert 1 <= oldest <= statement


def test_when_the_root_commits_the_chain_is_gone(scene):
    scene.table()
    root = scene.transaction("UPDATE items SET n = 1 WHERE id = 1")
    waiter = scene.session().start("UPDATE items SET n = 2 WHERE id = 1")
    scene.wait_for_lock(waiter)
    exporter = scene.watch()
    families = exporter.metrics()
    assert families.value("pgconn_blocked_sessions", database="postgres") == 1
    root.run("COMMIT")
    scene.until("SELECT state = 'idle' FROM pg_stat_activity WHERE pid = %s", waiter.pid)
    families = exporter.metrics()
    assert families.value("pgconn_blocked_sessions", database="postgres") == 0
    assert roots(families) == {}


def test_waiters_count_in_their_own_database_and_roots_in_theirs(scene):
    # Roles are shared by all databases: so are the locks on them.
    scene.database("shop")
    scene.role("alice")
    scene.transaction("COMMENT ON ROLE alice IS 'held'", database="shop", application="ddl")
    waiters = [
        scene.session(application="late").start("DROP ROLE alice") for _ in range(2)
    ]
    scene.wait_for_lock(*waiters)
    families = collect(scene)
    blocked = by("database", families.samples("pgconn_blocked_sessions"))
    assert blocked == {"postgres": 2, "shop": 0}
    assert roots(families) == {("shop", "postgres", "ddl", "idle in transaction"): 1}
    for waiter in waiters:
        scene.sql("SELECT pg_cancel_backend(%s)", waiter.pid)


def test_a_prepared_transaction_is_a_root(scene):
    scene.table()
    scene.transaction("UPDATE items SET n = 1 WHERE id = 1", "PREPARE TRANSACTION 'forgotten'")
    try:
        waiter = scene.session(application="web").start("UPDATE items SET n = 2 WHERE id = 1")
        scene.wait_for_lock(waiter)
        families = collect(scene)
        assert families.value("pgconn_blocked_sessions", database="postgres") == 1
        assert families.value("pgconn_blocking_chain_depth") == 1
        assert roots(families) == {("postgres", "", "", "prepared transaction"): 1}
        assert families.samples("pgconn_blocked_by_idle_in_transaction") == []
    finally:
        scene.sql("ROLLBACK PREPARED 'forgotten'")


def test_an_advisory_lock_of_an_idle_session_is_a_root_but_no_idle_transaction(scene):
    scene.session(application="leader").run("SELECT pg_advisory_lock(42)")
    waiters = [
        scene.session(application="follower").start("SELECT pg_advisory_lock(42)") for _ in range(4)
    ]
    scene.wait_for_lock(*waiters)
    families = collect(scene)
    assert families.value("pgconn_blocked_sessions", database="postgres") == 4
    assert roots(families) == {("postgres", "postgres", "leader", "idle"): 1}
    assert families.samples("pgconn_blocked_by_idle_in_transaction") == []


def test_an_active_root_is_reported_with_its_state(scene):
    scene.transaction("SELECT pg_advisory_xact_lock(5)", application="report").start(
        "SELECT pg_sleep(600)"
    )
    waiter = scene.session().start("SELECT pg_advisory_xact_lock(5)")
    scene.wait_for_lock(waiter)
    assert roots(collect(scene)) == {("postgres", "postgres", "report", "active"): 1}


def test_two_roots_of_one_owner_are_counted_and_waiters_behind_both_once(scene):
    for key in (1, 2):
        scene.transaction(f"SELECT pg_advisory_xact_lock_shared({key}, 0)", application="app")
        scene.transaction(f"SELECT pg_advisory_xact_lock_shared({key}, 0)", application="app")
    waiters = [
        scene.session().start(f"SELECT pg_advisory_xact_lock({key}, 0)") for key in (1, 2)
    ]
    scene.wait_for_lock(*waiters)
    families = collect(scene)
    assert roots(families) == {("postgres", "postgres", "app", "idle in transaction"): 4}
    assert families.sum("pgconn_blocked_by_idle_in_transaction") == 2


def test_only_those_that_wait_longest_are_traced(scene):
    scene.transaction("SELECT pg_advisory_xact_lock(7)", application="holder")
    for _ in range(3):
        waiter = scene.session().start("SELECT pg_advisory_xact_lock(7)")
        scene.wait_for_lock(waiter)
    exporter = scene.watch(collectors={"blocking": {"traced": 1}})
    families = exporter.metrics("collect[]=blocking")
    assert families.value("pgconn_blocked_sessions", database="postgres") == 3
    assert families.value("pgconn_blocked_sessions_untraced") == 2
    # The first in the queue waits for the holder itself.
    assert roots(families) == {("postgres", "postgres", "holder", "idle in transaction"): 1}
    assert families.value("pgconn_blocking_chain_depth") == 1
