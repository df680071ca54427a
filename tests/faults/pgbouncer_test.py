"""What a PgBouncer in front does to held connections, and what the exporter makes of it."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import psycopg2
import pytest

from tests.faults.held import CANARY, HASTY, ROUNDTRIP, Held, drops, failures, incidents
from tests.support import logfmt
from tests.support.exporter import binary
from tests.support.packages import known_versions
from tests.support.pgbouncer import SUITES, PgBouncer
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, eventually

CANARIES = {"ladder": ["1h"], "canaries": 2, "timeout": "4s"}
PATIENT = {"interval": "5s", "timeout": "4s"}  # a round trip that lets PgBouncer's timeouts come first


@pytest.fixture(scope="module")
def server():
    """One small server, to be broken by the tests. They leave it running."""
    with PgBox(max(known_versions())) as server:
        try:
            server.start(max_connections=40, shared_buffers="16MB")
        except Unavailable as reason:
            pytest.skip(str(reason))
        yield server


@pytest.fixture(params=SUITES)
def pooler(request, scene):
    """pooler(pool_mode="transaction", …) starts a PgBouncer, the old one and the new one in turn."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            try:
                return stack.enter_context(PgBouncer(request.param, scene.box, **settings))
            except Unavailable as reason:
                pytest.skip(str(reason))

        yield start


@pytest.fixture
def hold(scene):
    """hold(pooler, …): an exporter that holds all its connections through it."""

    def start(pooler, **probes):
        probes = {"certificate": False, "idle": CANARIES, **probes}
        return Held(scene, dsn=pooler.dsn(), **probes).until_whole()

    return start


def last_words(dsn):
    """SQLSTATE, cause and reason of the end of a session in a transaction."""
    driver = Path(binary()).parents[1] / "tests" / "faults" / "last_words"
    return subprocess.run([driver, dsn], check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout.splitlines()


def all_three(cause, sqlstate):
    return {("roundtrip", cause, sqlstate): 1, ("idle", cause, sqlstate): 2}


def test_clients_that_are_idle_for_too_long_are_closed_by_the_pooler(pooler, hold):
    # For a client that has a server, in session mode, it ignores idle time.
    held = hold(pooler(pool_mode="transaction", client_idle_timeout=5))
    record = held.until_told(cause="pooler_close", probe="idle", phase="idle", sqlstate="08P01")
    assert "client_idle_timeout" in record["because"]
    assert drops(held.metrics()).keys() == {("idle", "pooler_close", "08P01")}


def test_a_query_that_takes_too_long_is_closed_by_the_pooler(pooler, hold):
    held = hold(pooler(pool_mode="session", query_timeout=1), roundtrip=PATIENT)
    [backend] = held.pids(ROUNDTRIP)
    os.kill(backend, signal.SIGSTOP)
    try:
        record = held.until_told(cause="pooler_close", scope="one", probe="roundtrip", phase="query")
    finally:
        os.kill(backend, signal.SIGCONT)
    assert "query timeout" in record["because"]
    assert drops(held.metrics()) == {("roundtrip", "pooler_close", "08P01"): 1}


def test_a_query_that_gets_no_server_for_too_long_is_closed_by_the_pooler(pooler, hold):
    bouncer = pooler(pool_mode="transaction", query_wait_timeout=1, default_pool_size=1)
    held = hold(bouncer, roundtrip=PATIENT, connect=False)
    with contextlib.closing(psycopg2.connect(bouncer.dsn())) as hog:
        hog.cursor().execute("SELECT 1")  # begins a transaction
        record = held.until_told(cause="pooler_close", scope="one", probe="roundtrip", phase="query")
    assert "query_wait_timeout" in record["because"]


@pytest.mark.parametrize("timeout, words", [
    ("idle_transaction_timeout", "idle transaction timeout"), ("transaction_timeout", "transaction timeout"),
])
def test_a_transaction_that_takes_too_long_is_closed_by_the_pooler(pooler, request, timeout, words):
    if timeout == "transaction_timeout" and request.node.callspec.params["pooler"] == "bookworm":
        pytest.skip("transaction_timeout is newer than that PgBouncer")
    # No probe holds a transaction.
    sqlstate, cause, because = last_words(pooler(pool_mode="transaction", **{timeout: 1}).dsn())
    assert (sqlstate, cause) == ("08P01", "pooler_close")
    assert because == f"the pooler said: FATAL: {words}"


def test_a_pooler_that_is_full_is_distinguished_from_a_server_that_is(pooler, hold):
    bouncer = pooler(pool_mode="transaction", max_client_conn=8)
    held = hold(bouncer)
    with contextlib.ExitStack() as stack:
        with pytest.raises(psycopg2.OperationalError, match="no more connections allowed"):
            while True:
                stack.enter_context(contextlib.closing(psycopg2.connect(bouncer.dsn())))
        full = ("startup", "too_many_connections", "08P01")
        eventually(lambda: full in failures(held.metrics()), what="a refused login")
    [told] = eventually(
        lambda: logfmt.records(held.exporter.log_lines, "probe fails", probe="connect"), what="the log")
    assert "max_client_conn" in told["do"]
    assert drops(held.metrics()) == {}


def terminate_all(scene):
    scene.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")


def test_the_loss_of_the_servers_behind_it_is_reported_by_the_pooler(scene, pooler, hold):
    held = hold(pooler(pool_mode="session"))
    terminate_all(scene)
    record = held.until_told(cause="pooler_server_lost", scope="all")
    assert "server conn crashed?" in record["because"]
    held.expect(all_three("pooler_server_lost", "08P01"), "pooler_server_lost", "all")


def test_a_crash_behind_it_is_reported_by_the_pooler(scene, pooler, hold):
    held = hold(pooler(pool_mode="session", server_login_retry=1))
    backs = scene.box.log_count("ready to accept connections")
    scene.box.kill_backend(held.pids(CANARY)[0])
    held.until_told(cause="pooler_server_lost", scope="all")
    eventually(lambda: scene.box.log_count("ready to accept connections") == backs + 1)
    scene.connect_admin()
    held.expect(all_three("pooler_server_lost", "08P01"), "pooler_server_lost", "all")


def test_a_server_that_is_down_behind_it_is_a_loss_once_and_then_a_failure_to_connect(
    scene, pooler, hold
):
    held = hold(pooler(pool_mode="session", server_login_retry=1))
    scene.box.stop()
    try:
        held.until_told(cause="pooler_server_lost", scope="all")
        refused = ("startup", "server_error", "08P01")
        eventually(lambda: failures(held.metrics(), "roundtrip").get(refused, 0) >= 3)
    finally:
        scene.box.start()
        scene.connect_admin()
    held.expect(all_three("pooler_server_lost", "08P01"), "pooler_server_lost", "all")
    lines = held.exporter.log_lines
    assert len(logfmt.records(lines, "probe succeeds again", probe="roundtrip")) == 1


def test_a_server_connection_that_dies_between_two_transactions_is_nobody_s_loss(scene, pooler, hold):
    held = hold(pooler(pool_mode="transaction"))
    terminate_all(scene)
    held.until_asked("roundtrip", 3)
    assert drops(held.metrics()) == {} and held.log() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_pooler_that_ends_closes_all(pooler, hold, number):
    bouncer = pooler(pool_mode="transaction")
    # It must be back while the exporter still tries, for ten seconds.
    held = hold(bouncer, connect={"interval": "500ms", "timeout": "450ms"})
    bouncer.end(number)
    # The second one comes later than the exporter's own investigation.
    refused = ("tcp", "refused", "")
    eventually(lambda: failures(held.metrics()).get(refused, 0) >= 2, what="two refusals")
    bouncer.start()
    record = held.until_told(cause="pooler_close", scope="all")
    assert "nobody listened for the pooler" in record["because"]
    held.expect(all_three("pooler_close", ""), "pooler_close", "all")


def test_a_database_killed_on_its_console_closes_all(pooler, hold):
    bouncer = pooler(pool_mode="session")
    held = hold(bouncer)
    bouncer.console("KILL postgres")
    record = held.until_told(cause="pooler_close", scope="all")
    assert "database removed" in record["because"]
    assert drops(held.metrics()) == all_three("pooler_close", "08P01")


def test_a_paused_pooler_gives_no_answers_and_is_not_taken_for_a_silent_network(pooler, hold):
    bouncer = pooler(pool_mode="transaction")
    held = hold(bouncer)
    with bouncer.paused():
        held.until_told(cause="unknown", scope="all", reason="timeout")
    held.until_whole()
    assert incidents(held.metrics()) == {("unknown", "all"): 1}


@pytest.mark.parametrize("how", ["PAUSE", "SIGSTOP"])
def test_a_pause_that_ends_before_anybody_was_refused_is_not_taken_for_a_silent_network(pooler, hold, how):
    bouncer = pooler(pool_mode="transaction")
    held = hold(bouncer, **HASTY)
    with bouncer.paused() if how == "PAUSE" else bouncer.stopped():
        held.until_given_up()
    record = held.until_told(cause="unknown", reason="timeout")
    assert "took the question" in record["because"]
    assert {cause for _, cause, _ in drops(held.metrics())} == {"unknown"}


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_collecting_through_a_pooler_works_and_leaves_nothing_in_its_sessions(scene, pooler, mode):
    bouncer = pooler(pool_mode=mode, default_pool_size=1, server_reset_query="")
    for _ in range(2):  # the second one meets what the first one left
        exporter = scene.watch(dsn=bouncer.dsn())
        for _ in range(3):
            families = exporter.metrics()
            assert families.value("pgconn_up") == 1
            successes = families.samples("pgconn_collector_success")
            assert successes and all(sample.value == 1 for sample in successes), successes
        exporter.stop()
    with contextlib.closing(psycopg2.connect(bouncer.dsn())) as application:
        cursor = application.cursor()
        cursor.execute("SELECT current_setting('search_path'), current_setting('statement_timeout'),"
                       " current_setting('lock_timeout'),"
                       " (SELECT count(*) FROM pg_prepared_statements)")
        assert cursor.fetchall() == [('"$user", public', "0", "0", 0)]


def test_what_the_pooler_refuses_at_login_says_what_to_do(scene, pooler):
    dsn = pooler().dsn(more="options='-c statement_timeout=1000'")
    exporter = scene.watch(dsn=dsn)
    assert exporter.metrics().value("pgconn_up") == 0
    [told] = eventually(lambda: logfmt.records(exporter.log_lines, "target cannot be collected"), what="the log")
    assert told["reason"] == "config" and "unsupported startup parameter" in told["error"]
    assert "leave `options` out of the dsn" in told["do"]
