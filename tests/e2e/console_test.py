"""Targets of kind pgbouncer: real consoles of PgBouncer are collected and probed, and reject nothing that we ask."""

import contextlib
import re

import psycopg2
import pytest

from tests.support import logfmt
from tests.support.pgbouncer import CONSOLE_SUITES, PgBouncer
from tests.support.process import Unavailable, eventually

PROBES = {
    "connect": {"interval": "1s", "timeout": "900ms"},
    "waits": True,
    "idle": {"ladder": ["1s", "2s"], "canaries": 2, "timeout": "1s"},
    "certificate": {"interval": "1s", "timeout": "900ms"},
}
COLLECTORS = {"pools", "pool_stats", "pool_clients", "pool_databases", "pool_users", "pool_settings"}


@pytest.fixture(params=CONSOLE_SUITES)
def pooler(request, newest):
    """pooler(pool_mode="transaction", …) starts a PgBouncer, of each version in turn."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            try:
                return stack.enter_context(PgBouncer(request.param, newest, **settings))
            except Unavailable as reason:
                pytest.skip(str(reason))

        yield start


@pytest.fixture
def watch(run_exporter):
    """watch(bouncer, …) starts an exporter whose target `pool` is its console."""

    def start(bouncer, probes=None, **options):
        return run_exporter({"probes": probes or {}, "targets": [
            {"name": "pool", "kind": "pgbouncer", "dsn": bouncer.watched, **options}]})

    return start


def clients(bouncer, count, stack):
    return [stack.enter_context(contextlib.closing(psycopg2.connect(bouncer.dsn()))) for _ in range(count)]


def test_a_console_is_collected_with_known_answers(pooler, watch):
    bouncer = pooler(pool_mode="transaction", max_client_conn=77, default_pool_size=2, query_wait_timeout=99)
    with contextlib.ExitStack() as stack:
        busy = clients(bouncer, 3, stack)
        for number, client in enumerate(busy):
            with client.cursor() as cursor:
                cursor.execute("SELECT 1")
                if number == 2:
                    client.commit()  # the other two keep a transaction open, and both servers
                elif number == 1:
                    busy[0].commit()
        with busy[0].cursor() as cursor:
            cursor.execute("SELECT 1")
        exporter = watch(bouncer)
        families = exporter.metrics()
    assert families.value("pgconn_up") == 1
    [info] = families.samples("pgconn_target_info")
    assert info.labels["kind"] == "pgbouncer"
    assert info.labels["server_version"] == bouncer.console("SHOW VERSION")[0][0].split()[1]
    pool = {"database": "postgres", "user": "postgres"}
    assert families.value("pgconn_pgbouncer_pool_clients", **pool, state="active") == 3
    assert families.value("pgconn_pgbouncer_pool_clients", **pool, state="waiting") == 0
    servers = families.samples("pgconn_pgbouncer_pool_servers", **pool)
    assert sum(sample.value for sample in servers) == 2
    assert families.value("pgconn_pgbouncer_pool_wait_seconds", **pool) == 0
    assert families.value("pgconn_pgbouncer_clients") in (3 + 1, 3 + 2)  # ours: one collects, one samples the waits
    assert families.value("pgconn_pgbouncer_clients_max") == 77
    assert families.value("pgconn_pgbouncer_database_pool_size", database="postgres") == 2
    assert families.value("pgconn_pgbouncer_database_paused", database="postgres") == 0
    assert families.value("pgconn_pgbouncer_setting_seconds", name="query_wait_timeout") == 99
    assert families.value("pgconn_pgbouncer_queries_total", database="postgres") >= 4
    assert families.value("pgconn_pgbouncer_transactions_total", database="postgres") >= 2
    found = {sample.labels["collector"]: sample.value for sample in families.samples("pgconn_collector_success")}
    assert found == dict.fromkeys(COLLECTORS, 1)
    assert not families.samples("pgconn_pgbouncer_pool_clients", database="pgbouncer")


def test_no_column_of_a_release_that_is_tested_is_strange(pooler, watch):
    exporter = watch(pooler())
    exporter.metrics()
    assert logfmt.records(exporter.log_lines, "an answer has more than is known of it") == []


def test_the_console_never_sees_a_statement_that_it_rejects(pooler, watch):
    bouncer = pooler(verbose=2)
    exporter = watch(bouncer, PROBES)

    def probed(probe, times=3):
        return exporter.metrics().value("pgconn_probe_attempts_total", probe=probe) >= times

    eventually(lambda: probed("waits", 20) and probed("connect") and probed("idle", 4), what="all probes at work")
    families = exporter.metrics()
    for probe in ("connect", "waits", "idle"):
        assert families.value("pgconn_probe_success", probe=probe) == 1
    assert not families.samples("pgconn_probe_success", probe="roundtrip")
    assert families.sum("pgconn_connection_drops_total") == 0
    failed = [sample for sample in families.samples("pgconn_probe_failures_total")
              if sample.value and sample.labels["probe"] != "certificate"]  # it has none to show
    assert failed == []
    log = "\n".join(bouncer.log_lines)
    asked = set(re.findall(r"got admin query: (\S+ \S+)", log)) or set(re.findall(r"SHOW [A-Z]+", log))
    rejected = [line for line in bouncer.log_lines if re.search(
        r"invalid command|not allowed|unsupported|console client disconnected|pooler error|protocol", line)]
    assert rejected == []
    assert asked <= {f"SHOW {what}" for what in (
        "VERSION", "POOLS", "STATS", "LISTS", "DATABASES", "USERS", "CONFIG")}


def test_who_may_not_look_at_the_console_is_told_so(pooler, run_exporter):
    bouncer = pooler(stats_users="")
    exporter = run_exporter({"targets": [{"name": "pool", "kind": "pgbouncer", "dsn": bouncer.watched}]})
    assert exporter.metrics().value("pgconn_up") == 0
    [told] = eventually(
        lambda: logfmt.records(exporter.log_lines, "target cannot be collected"), what="the log")
    assert "stats_users" in told["do"], told


def test_a_server_in_place_of_a_console_is_down_and_named(newest, run_exporter):
    exporter = run_exporter({"targets": [{"name": "pool", "kind": "pgbouncer", "dsn": newest.dsn()}]})
    assert exporter.metrics().value("pgconn_up") == 0
    [told] = eventually(
        lambda: logfmt.records(exporter.log_lines, "target cannot be collected"), what="the log")
    print(told)
