"""Every query of every panel has data when a real Prometheus has scraped the real exporter amid real trouble."""

import contextlib
import json

import pytest

from tests.dashboards.troubled import FORGETS_AFTER, PROBES, TroubledServer
from tests.support.exporter import Exporter
from tests.support.midbox import Midbox
from tests.support.midbox import Unavailable as NoNamespaces
from tests.support.pgbox import PgBox
from tests.support.process import eventually
from tests.support.prometheus import Prometheus, Unavailable, unpacked

RATE_INTERVAL = "20s"


@pytest.fixture(scope="module")
def prometheus():
    """One that has seen an idle limit, a crash, drops, refusals, waits and bad ends of sessions."""
    with contextlib.ExitStack() as stack:
        try:
            unpacked("native", "prometheus")  # from where packages can be downloaded
            box = stack.enter_context(PgBox(18)).start(max_connections=60)
            midbox = stack.enter_context(Midbox(forgets_after=FORGETS_AFTER))
        except (Unavailable, NoNamespaces) as reason:
            pytest.skip(str(reason))
        box.stop()
        with midbox.server.inside():
            box.start(listen_addresses="*")
        box.hba(f"host all all {midbox.network} trust")
        stack.enter_context(midbox.client.inside())
        server = stack.enter_context(TroubledServer(box))
        server.prepare()
        exporter = stack.enter_context(Exporter({"targets": server.targets(), "probes": PROBES}))
        running = stack.enter_context(Prometheus({"pgconn": exporter.port}))
        eventually(lambda: running.value('sum(pgconn_held_connections{target="orders"})') == 3, 60, "held connections")
        server.crash()
        server.begin()
        eventually(lambda: running.query("pgconn_idle_dropped_seconds"), 90, "the path's idle limit")
        server.drop_held()
        server.end_sessions_badly()
        box.use_certificate("ending")
        yield running


@pytest.fixture(scope="module")
def queries(npm_run):
    result = npm_run("queries", "--json", f"--rate-interval={RATE_INTERVAL}", "--range=10m")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def has_data(prometheus, expression):
    """At any time until now: a counter that rose for a moment is data too."""
    return prometheus.query(f"last_over_time(({expression})[10m:1s])")


def test_every_query_of_every_panel_returns_data(prometheus, queries):
    missing = {}

    def complete():
        missing.clear()
        for query in queries:
            if not has_data(prometheus, query["expr"]):
                missing.setdefault(query["dashboard"], []).append(f"{query['title']}: {query['expr']}")
        return not missing

    with contextlib.suppress(TimeoutError):
        eventually(complete, 60)
    assert not missing, json.dumps(missing, indent=2)
