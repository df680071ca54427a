"""What the exporter reports about itself, by its values."""

import time

import pytest

from tests.support import exposition
from tests.support.peers import Peer

DURATION = "pgconn_exporter_scrape_duration_seconds"
PATIENCE = 0.6  # seconds that a scrape waits for a server that says nothing


@pytest.fixture
def exporter(run_exporter):
    """Two targets that never answer: one with every default, one with a budget of its own."""
    with Peer() as silent:
        dsn = f"host=127.0.0.1 port={silent.port} user=x"
        yield run_exporter({
            "global": {"scrape_timeout": f"{PATIENCE * 1000:.0f}ms"},
            "targets": [{"name": "plain", "dsn": dsn},
                        {"name": "own", "dsn": dsn, "max_connections_per_target": 12}],
        })


def test_the_connection_budget_is_reported_for_each_target(exporter):
    families = exporter.metrics()
    assert families.value("pgconn_exporter_connections_max", target="plain") == 7
    assert families.value("pgconn_exporter_connections_max", target="own") == 12


def test_every_scrape_is_timed_once_from_its_request_on(exporter):
    before = exporter.metrics()
    assert before.value(f"{DURATION}_count") == 1
    begin = time.monotonic()
    after = exporter.metrics()
    took = time.monotonic() - begin
    assert after.value(f"{DURATION}_count") == after.value(f"{DURATION}_bucket", le="+Inf") == 2
    assert PATIENCE - 0.01 <= after.value(f"{DURATION}_sum") - before.value(f"{DURATION}_sum") <= took
    assert after.value(f"{DURATION}_bucket", le="0.5") == 0


def test_a_scrape_of_one_target_counts_and_one_of_the_exporter_alone_does_not(exporter):
    def counted():
        return exposition.parse(exporter.get("/metrics/exporter").text).value(f"{DURATION}_count") or 0

    assert counted() == counted() == 0
    exporter.metrics("target=plain")
    assert counted() == counted() == 1
