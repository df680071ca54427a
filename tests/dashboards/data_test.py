"""Every query of every panel has data when a real Prometheus has scraped the real exporter amid real trouble."""

import contextlib
import json

import pytest

from tests.support.process import eventually

RATE_INTERVAL = "20s"


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
