"""Faults of a PgBouncer whose console is watched: queues, a dead server, timeouts, restarts, commands of its admin."""

import contextlib
import signal
import threading

import psycopg2
import pytest

from tests.faults.held import drops
from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.packages import known_versions
from tests.support.pgbouncer import CONSOLE_SUITES, PgBouncer
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, eventually, free_port

POOL = {"database": "postgres", "user": "postgres"}
PROBES = {
    "connect": {"interval": "1s", "timeout": "900ms"}, "waits": True,
    "idle": {"ladder": ["1h"], "canaries": 2, "timeout": "2s"},
}
WITH_PEERS = CONSOLE_SUITES[1:]


@pytest.fixture(scope="module")
def server():
    """One small server, to be broken by the tests. They leave it running."""
    with PgBox(max(known_versions())) as server:
        try:
            server.start(max_connections=40, shared_buffers="16MB")
        except Unavailable as reason:
            pytest.skip(str(reason))
        yield server


@pytest.fixture(params=CONSOLE_SUITES)
def pooler(request, server):
    """pooler(pool_mode="transaction", …) starts a PgBouncer, of each version in turn."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            try:
                return stack.enter_context(PgBouncer(request.param, server, **settings))
            except Unavailable as reason:
                pytest.skip(str(reason))

        yield start


@pytest.fixture
def watch():
    """watch(targets, probes) starts an exporter; watch(bouncer) one with its console as the target `pool`."""
    with contextlib.ExitStack() as stack:

        def start(targets, probes=PROBES):
            if isinstance(targets, PgBouncer):
                targets = [{"name": "pool", "kind": "pgbouncer", "dsn": targets.watched}]
            exporter = stack.enter_context(Exporter({"targets": targets, "probes": probes}))
            stack.callback(lambda: print(*exporter.log_lines, sep="\n"))
            return exporter

        yield start


def whole(exporter, target="pool"):
    """Waits until it holds all its connections, and a scrape has seen the console."""

    def seen():
        families = exporter.metrics()
        held = {sample.labels["probe"]: sample.value
                for sample in families.samples("pgconn_held_connections", target=target)}
        return held.get("waits") == 1 and held.get("idle") == 2 and families.value("pgconn_up", target=target) == 1

    eventually(seen, what="all held connections")
    return exporter


def attempts(exporter, probe="waits"):
    return exporter.metrics().value("pgconn_probe_attempts_total", probe=probe)


def query(bouncer, sql="SELECT 1"):
    with contextlib.closing(psycopg2.connect(bouncer.dsn())) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


class Clients:
    """Threads that each run a query on a client of their own, once."""

    def __init__(self, bouncer, count, sql):
        self._threads = [threading.Thread(target=query, args=(bouncer, sql)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()


def test_a_queue_of_200_ms_between_two_scrapes_is_seen(pooler, watch):
    bouncer = pooler(pool_mode="transaction", default_pool_size=1)
    query(bouncer)  # makes the pool
    exporter = whole(watch(bouncer))
    before = exporter.metrics()
    assert before.value("pgconn_pgbouncer_pool_wait_max_seconds", **POOL) == 0
    for _ in range(5):  # each time one of them waits for the other
        Clients(bouncer, 2, "SELECT pg_sleep(0.2)").join()
    after = exporter.metrics()  # the only scrape since: nobody waits any more
    assert after.value("pgconn_pgbouncer_pool_wait_seconds", **POOL) == 0
    assert 0.01 < after.value("pgconn_pgbouncer_pool_wait_max_seconds", **POOL) < 2
    assert after.value("pgconn_pgbouncer_pool_waiting_clients_max", **POOL) == 1

    def waits(families):
        name = "pgconn_pgbouncer_pool_wait_sampled_seconds"
        short = families.value(f"{name}_bucket", **POOL, le="0.001")
        return families.value(f"{name}_count", **POOL) - short

    assert waits(after) > waits(before)
    waited = [families.value("pgconn_pgbouncer_client_wait_seconds_total", database="postgres")
              for families in (before, after)]
    assert waited[1] - waited[0] > 0.5  # all of them, exactly
    exporter.metrics()
    assert exporter.metrics().value("pgconn_pgbouncer_pool_wait_max_seconds", **POOL) in (0, None)


def test_a_dead_server_is_a_queue_without_servers_and_not_a_dead_pooler(pooler, watch, server):
    bouncer = pooler(pool_mode="transaction", server_login_retry=1, query_wait_timeout=60)
    query(bouncer)
    exporter = whole(watch(bouncer))
    server.stop()
    try:
        client = Clients(bouncer, 1, "SELECT 1")

        def queued():
            families = exporter.metrics()
            servers = sum(sample.value for sample in families.samples("pgconn_pgbouncer_pool_servers", **POOL)
                          if sample.labels["state"] not in ("login",))
            return families.value("pgconn_pgbouncer_pool_wait_seconds", **POOL) > 1 and servers == 0

        eventually(queued, what="a client that waits for a dead server")
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert drops(families) == {}
    finally:
        server.start(port=server.port, max_connections=40, shared_buffers="16MB")
    client.join()
    eventually(lambda: exporter.metrics().value("pgconn_pgbouncer_pool_wait_seconds", **POOL) == 0)


@pytest.mark.parametrize("timeout", [
    "client_idle_timeout", "client_login_timeout", "idle_transaction_timeout", "query_timeout", "query_wait_timeout",
    "server_idle_timeout", "server_lifetime", "server_connect_timeout"])
def test_a_timeout_of_the_pooler_is_shown_and_ends_at_most_idle_canaries_in_its_own_words(pooler, watch, timeout):
    bouncer = pooler(pool_mode="transaction", **{timeout: 2})
    exporter = whole(watch(bouncer))
    before = attempts(exporter)
    eventually(lambda: attempts(exporter) >= before + 16, what="four seconds of samples")
    families = exporter.metrics()
    assert families.value("pgconn_up") == 1
    assert families.value("pgconn_pgbouncer_setting_seconds", name=timeout) == 2
    assert drops(families).keys() <= {("idle", "pooler_close", "08P01")}
    if timeout != "client_idle_timeout":
        assert drops(families) == {}


def test_a_pause_is_shown_and_its_queue_is_seen(pooler, watch):
    bouncer = pooler(pool_mode="transaction")
    query(bouncer)
    exporter = whole(watch(bouncer))
    with bouncer.paused():
        eventually(lambda: exporter.metrics().value("pgconn_pgbouncer_database_paused", database="postgres") == 1)
        client = Clients(bouncer, 1, "SELECT 1")
        eventually(lambda: exporter.metrics().value("pgconn_pgbouncer_pool_clients", **POOL, state="waiting") == 1)
    client.join()
    families = exporter.metrics()
    assert families.value("pgconn_pgbouncer_database_paused", database="postgres") == 0
    assert drops(families) == {}


def test_reconnect_kill_and_reload_leave_the_console_alone(pooler, watch):
    bouncer = pooler(pool_mode="transaction")
    exporter = whole(watch(bouncer))
    for command in ("RECONNECT", "KILL postgres", "RESUME postgres", "RELOAD"):
        query(bouncer)
        bouncer.console(command)
        before = attempts(exporter)
        eventually(lambda: attempts(exporter) >= before + 4, what="a second of samples")
    families = exporter.metrics()
    assert families.value("pgconn_up") == 1
    assert drops(families) == {}
    assert families.value("pgconn_pgbouncer_restarts_total") == 0


def test_a_restart_of_the_pooler_is_counted_once_and_its_counters_go_on(pooler, watch):
    bouncer = pooler(pool_mode="transaction")
    for _ in range(5):
        query(bouncer)
    exporter = whole(watch(bouncer))
    before = exporter.metrics().value("pgconn_pgbouncer_queries_total", database="postgres")
    bouncer.end(signal.SIGKILL)
    bouncer.start()
    query(bouncer)
    whole(exporter)
    families = exporter.metrics()
    assert families.value("pgconn_pgbouncer_restarts_total") == 1
    assert families.value("pgconn_pgbouncer_process_changes_total") == 0
    assert families.value("pgconn_pgbouncer_queries_total", database="postgres") == before + 1
    assert {cause for _, cause, _ in drops(families)} <= {"pooler_close", "unknown"}


@pytest.fixture
def two(request, server):
    """two(suite, peers) starts two PgBouncers on one port."""
    with contextlib.ExitStack() as stack:

        def start(suite, peers):
            port = free_port()
            try:
                return [stack.enter_context(PgBouncer(
                    suite, server, port=port, pool_mode="transaction", so_reuseport=1,
                    **({"peer_id": number} if peers else {}))) for number in (1, 2)]
            except Unavailable as reason:
                pytest.skip(str(reason))

        yield start


def held_process(exporter):
    [info] = exporter.metrics().samples("pgconn_pgbouncer_process_info")
    assert info.labels["so_reuseport"] == "1"
    return info.labels["peer_id"]


@pytest.mark.parametrize("suite", WITH_PEERS)
def test_processes_on_one_port_are_told_apart(two, watch, suite):
    pair = {str(number): bouncer for number, bouncer in enumerate(two(suite, True), 1)}
    for _ in range(20):
        query(pair["1"])  # to either of them
    exporter = watch(pair["1"], {})
    first = held_process(exporter)
    other = {"1": "2", "2": "1"}[first]

    def counted():
        return exporter.metrics().value("pgconn_pgbouncer_queries_total", database="postgres") or 0

    before = counted()
    pair[first].end(signal.SIGKILL)
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1 and held_process(exporter) == other,
               what="a session with the other process")
    families = exporter.metrics()
    assert families.value("pgconn_pgbouncer_restarts_total") == 0
    assert families.value("pgconn_pgbouncer_process_changes_total") == 1
    assert counted() == before  # the other's own count is not in it
    query(pair["1"])
    assert counted() == before + 1
    pair[first].start()  # and now the first one again, which has been restarted
    pair[other].end(signal.SIGKILL)
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1 and held_process(exporter) == first,
               what="a session with the first process")
    assert exporter.metrics().value("pgconn_pgbouncer_restarts_total") == 1
    assert counted() == before + 1


@pytest.mark.parametrize("suite", CONSOLE_SUITES)
def test_processes_without_a_peer_id_are_no_restart_and_no_jump(two, watch, suite):
    one, other = two(suite, False)
    for _ in range(20):
        query(one)
    exporter = watch(one, {})
    assert held_process(exporter) == "0"

    def counted():
        return exporter.metrics().value("pgconn_pgbouncer_queries_total", database="postgres") or 0

    before = counted()
    for bouncer in (one, other):  # one of these ends is that of our session
        bouncer.end(signal.SIGKILL)
        bouncer.start()
        eventually(lambda: exporter.metrics().value("pgconn_up") == 1)
        assert counted() == before
    families = exporter.metrics()
    assert families.value("pgconn_pgbouncer_restarts_total") == 0
    assert families.value("pgconn_pgbouncer_process_changes_total") >= 1
    found = {sample.labels["finding"] for sample in families.samples("pgconn_finding")}
    assert "pgbouncer_reuseport_without_peers" in found


def sides(bouncer, server):
    """The server, its pooler, and the way through it, as targets."""
    return [
        {"name": "orders", "dsn": server.dsn(), "probes": {"waits": False, "roundtrip": {"interval": "1s", "timeout": "900ms"}}},
        {"name": "pool", "kind": "pgbouncer", "dsn": bouncer.watched, "via": "orders"},
        {"name": "pooled", "dsn": bouncer.dsn(), "via": "pool", "probes": {"roundtrip": {"interval": "1s", "timeout": "900ms"}}},
    ]


@pytest.fixture
def told(watch):
    """told(exporter, target): the one incident of a target in the log."""

    def wait(exporter, target):
        def lines():
            return logfmt.records(exporter.log_lines, "connections were lost", target=target)

        return eventually(lines, what=f"an incident of {target}")[0]

    return wait


SIDES_PROBES = {"connect": False, "waits": True, "roundtrip": {"interval": "1s", "timeout": "900ms"}}


def test_the_loss_of_the_server_is_told_as_the_servers_side(pooler, watch, server, told):
    bouncer = pooler(pool_mode="session")
    exporter = watch(sides(bouncer, server), SIDES_PROBES)

    def held():
        return {sample.labels["target"]: sample.value for sample in exporter.metrics().samples("pgconn_held_connections")
                if sample.labels["probe"] in ("roundtrip", "waits") and sample.value}

    eventually(lambda: held().keys() == {"orders", "pool", "pooled"}, what="all held connections")
    with contextlib.closing(psycopg2.connect(server.dsn())) as admin:
        admin.autocommit = True
        admin.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
    record = told(exporter, "pooled")
    assert record["side"] == "server", record
    assert "pool went on answering" in record["because"], record
    assert "orders lost connections too" in record["because"], record
    families = exporter.metrics()
    assert families.samples("pgconn_up", target="pooled", via="pool")
    assert drops_of(families, "pool") == 0


def drops_of(families, target):
    return families.sum("pgconn_connection_drops_total", target=target)


def test_the_loss_of_the_pooler_is_told_as_the_poolers_side(pooler, watch, server, told):
    bouncer = pooler(pool_mode="session")
    exporter = watch(sides(bouncer, server), SIDES_PROBES)

    def held():
        return {sample.labels["target"]: sample.value for sample in exporter.metrics().samples("pgconn_held_connections")
                if sample.labels["probe"] in ("roundtrip", "waits") and sample.value}

    eventually(lambda: held().keys() == {"orders", "pool", "pooled"}, what="all held connections")
    bouncer.end(signal.SIGKILL)
    for target in ("pooled", "pool"):
        record = told(exporter, target)
        assert record["side"] == "pooler", record
        assert "pool lost connections too" in record["because"], record
    assert drops_of(exporter.metrics(), "orders") == 0
