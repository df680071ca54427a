"""A real Prometheus scrapes the exporter; what comes back by query is what the servers are."""

import json

import pytest

from tests.support.exporter import Exporter
from tests.support.process import Unavailable, eventually, http_get
from tests.support.prometheus import Prometheus


@pytest.fixture(scope="module")
def prometheus(boxes):
    """Scrapes an exporter with two targets: the oldest server as `old`, the newest as `new`."""
    targets = [
        {"name": "old", "dsn": boxes[min(boxes)].dsn(), "labels": {"cluster": "orders", "env": "test"}},
        {"name": "new", "dsn": boxes[max(boxes)].dsn(), "labels": {"cluster": "invoices"}},
        {"name": "gone", "dsn": boxes[max(boxes)].dsn(dbname="gone")},
    ]
    with Exporter({"targets": targets}) as exporter:
        server = Prometheus({"pgconn": exporter.port})
        try:
            with server:
                eventually(lambda: server.value('up{job="pgconn"}') == 1, 60, "a scrape")
                yield server
        except Unavailable as reason:
            pytest.skip(f"Prometheus cannot be had: {reason}")


def test_prometheus_finds_the_scrape_good_and_not_empty(prometheus):
    assert prometheus.value('up{job="pgconn"}') == 1
    assert prometheus.value("scrape_samples_scraped") > 100
    assert prometheus.value("scrape_samples_scraped - scrape_samples_post_metric_relabeling") == 0


def test_targets_come_back_with_their_static_labels_and_only_theirs(prometheus):
    found = {row["target"]: (row.get("cluster"), row.get("env"), value)
             for row, value in prometheus.query("pgconn_up")}
    assert found == {
        "old": ("orders", "test", 1), "new": ("invoices", None, 1), "gone": (None, None, 0),
    }


def test_joins_of_the_documentation_work(prometheus):
    joined = prometheus.query("pgconn_up * on (target) group_left (server_version) pgconn_target_info")
    versions = {row["target"]: row.get("server_version") for row, _ in joined}
    assert versions.pop("gone") is None
    assert set(versions) == {"old", "new"} and all(versions.values())


def test_prometheus_negotiates_openmetrics(prometheus):
    # Only OpenMetrics has units, and names an info family without its suffix.
    answer = json.loads(http_get(prometheus.port, "/api/v1/metadata").body)["data"]
    assert answer["pgconn_setting_seconds"][0]["unit"] == "seconds"
    assert answer["pgconn_target"][0]["type"] == "info"


def test_counters_have_an_increase(prometheus):
    query = 'pgconn_scrape_errors_total{target="gone",reason="database",sqlstate="3D000"} >= 1'
    assert eventually(lambda: prometheus.query(query))
    restarts = "increase(pgconn_server_restarts_total[1m])"
    assert eventually(lambda: prometheus.query(restarts)), "counters exist from the first scrape on"
    assert all(value == 0 for _, value in prometheus.query(restarts))
