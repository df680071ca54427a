"""Runs the scripts of dashboards/ with Node.js, and a server in trouble whose metrics Prometheus has."""

import contextlib
import json
import signal
import time

import pytest

from tests.dashboards import node
from tests.dashboards.committed import ROOT
from tests.dashboards.troubled import FORGETS_AFTER, PROBES, TroubledServer, beside, trouble_log
from tests.support.exporter import Exporter
from tests.support.midbox import Midbox
from tests.support.packages import unpacked
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, eventually, free_port
from tests.support.prometheus import Prometheus


@pytest.fixture(scope="session")
def npm_run():
    """npm_run("lint", "--json") → the finished process of that script of dashboards/package.json."""
    try:
        node.install(ROOT)
    except Unavailable as reason:
        pytest.skip(f"the dashboards' sources cannot be run here: {reason}")
    return lambda script, *arguments: node.npm(ROOT, "run", script, "--", *arguments)


@pytest.fixture(scope="session")
def lint(npm_run):
    """lint(files) → the findings of each file, as lists of (rule, where, message)."""

    def run(files, *options):
        result = npm_run("lint", "--json", *options, *map(str, files))
        assert result.returncode in (0, 1) and result.stdout, result.stderr
        return {
            report["file"]: [(found["rule"], found["where"], found["message"]) for found in report["findings"]]
            for report in json.loads(result.stdout)
        }

    return run


@pytest.fixture(scope="session")
def _trouble():
    """The network namespace from which alone it is reached, a Prometheus that has seen an idle limit, a crash, drops,
    refusals, waits, bad ends of sessions, a locked catalog, a refused configuration and an exporter that does not
    answer, and since when (Unix time)."""
    with contextlib.ExitStack() as stack:
        try:
            unpacked("native", "prometheus")  # from where packages can be downloaded
            box = stack.enter_context(PgBox(18)).start(max_connections=60)
            midbox = stack.enter_context(Midbox(forgets_after=FORGETS_AFTER))
        except Unavailable as reason:
            pytest.skip(str(reason))
        box.stop()
        with midbox.server.inside():
            box.start(listen_addresses="*")
        box.hba(f"host all all {midbox.network} trust")
        with midbox.client.inside():
            server = stack.enter_context(TroubledServer(box))
            server.prepare()
            local = stack.enter_context(PgBox(18)).start(max_connections=20)
            exporter = stack.enter_context(Exporter(
                {"global": {"lock_timeout": "100ms"}, "targets": [*server.targets(), beside(local)],
                 "probes": PROBES}))
            begin = time.time()
            running = stack.enter_context(Prometheus({"pgconn": [exporter.port, free_port()]}))
            held = 'sum(pgconn_held_connections{target="orders"})'
            eventually(lambda: running.value(held) == 3, 60, "held connections")
            server.crash()
            server.begin()
            eventually(lambda: running.query("pgconn_idle_dropped_seconds"), 90, "the path's idle limit")
            server.lock_catalog_until(lambda: running.query('pgconn_collector_success{target="orders"} == 0'))
            eventually(lambda: running.query("pgconn_host_tcp_connections"), 60, "the host's sockets")
            trouble_log(local)
            server.drop_held()
            server.end_sessions_badly()
            box.use_certificate("ending")
            exporter.write_config("targets: of no kind")
            exporter.process.signal(signal.SIGHUP)
        yield midbox.client, running, begin


@pytest.fixture
def prometheus(_trouble):
    """One that has seen trouble of every kind; the test is within the network namespace where it is reached."""
    namespace, running, _ = _trouble
    with namespace.inside():
        yield running
