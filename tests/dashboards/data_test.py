"""Every query of every panel has data when a real Prometheus has scraped the real exporter during real faults."""

import contextlib
import json

import pytest

from tests.support.process import eventually

RATE_INTERVAL = "20s"
OR_NOTHING = " or vector(0)"
# Queries that only `or vector(0)` answers, and why the faults give them no data.
HEALTHY = {
    "Over old protocols": "OpenSSL of today speaks them only where its security level is lowered at both ends",
}


@pytest.fixture(scope="module")
def queries(npm_run):
    result = npm_run("queries", "--json", f"--rate-interval={RATE_INTERVAL}", "--range=10m")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def has_data(prometheus, expression):
    """At any time until now: a counter that rose for a moment is data too."""
    return prometheus.query(f"last_over_time(({expression})[10m:1s])")


def test_every_query_of_every_panel_returns_data(prometheus, queries):
    missing = [(query["dashboard"], query["title"],
                query["expr"] if query["title"] in HEALTHY else query["expr"].removesuffix(OR_NOTHING))
               for query in queries]

    def complete():
        missing[:] = [one for one in missing if not has_data(prometheus, one[-1])]
        return not missing

    with contextlib.suppress(TimeoutError):
        eventually(complete, 60)
    assert not missing, json.dumps(missing, indent=2)


def test_a_query_that_need_not_have_data_would_have_none_otherwise(queries):
    excused = {query["title"] for query in queries if query["expr"].endswith(OR_NOTHING)}
    assert HEALTHY.keys() <= excused
