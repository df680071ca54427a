"""What the probes cost the server they watch, at their busiest: no transaction, no snapshot, no lock and
no connection beyond the budget. What `longquery` costs, which sleeps in a transaction, is in longquery_test.py."""

import pytest

import concurrent.futures
import contextlib
import itertools
import time

from tests.faults.held import ROUNDTRIP, drops, shut_down
from tests.integration.scenes import TARGET, by
from tests.support.process import eventually

BUDGET = 7  # the default of max_connections_per_target
BUSIEST = {
    "connect": {"interval": "250ms", "timeout": "240ms"},
    "roundtrip": {"interval": "250ms", "timeout": "240ms"},
    "idle": {"ladder": ["100ms", "200ms"], "canaries": 2, "timeout": "5s"},
    "certificate": {"interval": "1s", "timeout": "900ms"},
}
# A backend that starts locks its database for a moment, so that it cannot be dropped meanwhile.
OF_A_LOGIN = {"object RowExclusiveLock"}
ALL_KINDS = {"collect", "connect", "roundtrip", "idle"}
# Relations stay locked until a transaction ends; each has its own virtualxid while it lasts.
SESSIONS = """
    SELECT split_part(application_name, '/', 2), pid, state, state_change, xact_start IS NOT NULL,
           backend_xmin IS NOT NULL, (SELECT array_agg(locktype || ' ' || mode) FROM pg_locks l
                                      WHERE l.pid = a.pid)
      FROM pg_stat_activity a WHERE application_name LIKE 'pgconn_exporter/%'
"""


@contextlib.contextmanager
def again_and_again(action):
    """Runs `action` in another thread, over and over, until the end of the block."""
    is_over = []

    def run():
        while not is_over:
            action()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield
        finally:
            is_over.append(True)
            running.result()


def connections_to(port):
    """Connections from this machine to a port, those that are being made or closed by it included."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in list(table)[1:]]
    established, syn_sent, close_wait = "01", "02", "08"
    return sum(
        row[2].endswith(f":{port:04X}") and row[3] in (established, syn_sent, close_wait) for row in rows
    )


def test_a_session_that_is_not_asked_holds_no_transaction_no_snapshot_and_no_lock(scene, hold):
    held = hold(**BUSIEST)
    purposes, modes, holding = set(), set(), set()
    end = time.monotonic() + 60
    with again_and_again(held.metrics):
        # A fresh connection is over in a moment: until one of each kind was caught.
        for sample in itertools.count():
            if sample >= 300 and (purposes >= ALL_KINDS or time.monotonic() > end):
                break
            before, holding = holding, set()
            for purpose, pid, state, since, transaction, snapshot, locks in scene.sql(SESSIONS):
                assert state not in ("idle in transaction", "idle in transaction (aborted)")
                purposes.add(purpose)
                modes.update(lock for lock in locks or () if not lock.startswith("virtualxid"))
                if state == "idle" and (transaction or snapshot or locks):
                    holding.add((purpose, pid, since))
            # The columns of one row are not of one moment: only what stays is held.
            assert not holding & before, holding & before
            if sample % 100 == 50:  # makes the exporter check the server, to find out why
                scene.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = %s", ROUNDTRIP,
                )
    held.until_asked("connect", 1)
    assert purposes >= ALL_KINDS
    assert modes <= {"relation AccessShareLock", *OF_A_LOGIN}, modes


@pytest.mark.newest_only
def test_a_storm_of_restarts_does_not_break_the_budget_of_connections(scene, hold):
    restarts = 4
    held, port = hold(), scene.box.port
    scene.admin.close()  # the exporter alone is left on the port

    def storm():
        for _ in range(restarts):
            shut_down(scene.box)
            scene.box.start()
            held.until_whole()

    open_at_once, counted = set(), set()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        storming = pool.submit(storm)
        with again_and_again(lambda: counted.add(held.metrics().sum("pgconn_exporter_connections"))):
            while not storming.done():
                open_at_once.add(connections_to(port))
                concurrent.futures.wait([storming], 0.002)
    scene.connect_admin()
    storming.result()
    assert 3 <= max(open_at_once) <= BUDGET  # at least what is held
    assert max(counted) <= BUDGET
    lost = restarts * 3
    eventually(lambda: sum(drops(held.metrics()).values()) >= lost, what=f"{lost} drops")
    held.until_asked("roundtrip", 2)
    families = held.metrics()
    assert sum(drops(families).values()) == lost, drops(families)
    # Restarts so close to each other may be too close to call.
    assert {cause for _, cause, _ in drops(families)} <= {"server_shutdown", "unknown"}
    assert families.sum("pgconn_probe_failures_total", reason="budget") == 0


def test_the_connections_that_are_counted_are_those_that_the_server_sees(scene, hold):
    held = hold()

    def by_server():
        return dict(scene.sql(
            "SELECT split_part(application_name, '/', 2), count(*)::int FROM pg_stat_activity"
            " WHERE application_name LIKE 'pgconn_exporter/%' GROUP BY 1"
        ))

    def by_exporter():
        counted = by("purpose", held.metrics().samples("pgconn_exporter_connections", target=TARGET))
        return {purpose: count for purpose, count in counted.items() if count}

    eventually(lambda: by_server() == {"collect": 1, "roundtrip": 1, "idle": 2} == by_exporter())
