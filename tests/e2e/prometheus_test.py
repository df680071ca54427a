"""A real Prometheus scrapes the exporter; what comes back by query is what the servers are."""

import contextlib
import json
import signal
from pathlib import Path

import pytest
import yaml

from tests.support.exporter import Exporter
from tests.support.process import REPOSITORY, Unavailable, eventually, http_get
from tests.support.prometheus import Prometheus


@contextlib.contextmanager
def _or_skip(prometheus):
    try:
        with prometheus:
            yield prometheus
    except Unavailable as reason:
        pytest.skip(f"Prometheus cannot be had: {reason}")


@pytest.fixture(scope="module")
def prometheus(boxes):
    """Scrapes an exporter with two targets: the oldest server as `old`, the newest as `new`."""
    targets = [
        {"name": "old", "dsn": boxes[min(boxes)].dsn(), "labels": {"cluster": "orders", "env": "test"}},
        {"name": "new", "dsn": boxes[max(boxes)].dsn(), "labels": {"cluster": "invoices"}},
        {"name": "gone", "dsn": boxes[max(boxes)].dsn(dbname="gone")},
    ]
    with Exporter({"targets": targets}) as exporter, _or_skip(Prometheus({"pgconn": exporter.port})) as server:
        eventually(lambda: server.value('up{job="pgconn"}') == 1, 60, "a scrape")
        yield server


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


def test_prometheus_discovers_the_targets_and_scrapes_each_by_itself(boxes):
    targets = [
        {"name": "new", "dsn": boxes[max(boxes)].dsn(), "labels": {"cluster": "invoices"}},
        {"name": "gone", "dsn": boxes[max(boxes)].dsn(dbname="gone")},
    ]
    job = {"honor_labels": True, "http_sd_configs": []}
    with Exporter({"targets": targets}) as exporter:
        job["http_sd_configs"].append({"url": f"{exporter.url}/sd", "refresh_interval": "1s"})
        with _or_skip(Prometheus({"pgconn": job})) as server:
            eventually(lambda: len(server.query("pgconn_up")) == 2, 60, "a scrape of each target")
            assert {row["target"]: value for row, value in server.query("pgconn_up")} == {"new": 1, "gone": 0}
            assert {row["target"]: value for row, value in server.query("up")} == {"new": 1, "gone": 1}
            assert {row.get("cluster") for row, _ in server.query('{target="new"}')} == {"invoices"}
            assert not server.query('{exported_target!=""}')
            # A reload is seen without Prometheus's configuration being touched.
            exporter.write_config({"targets": [*targets, {"name": "late", "dsn": targets[0]["dsn"]}]})
            exporter.process.signal(signal.SIGHUP)
            eventually(lambda: server.value('up{target="late"}') == 1, 60, "the new target")


def test_the_documented_probe_job_works(newest):
    """Of docs/operations.md, but for its addresses."""
    document = Path(REPOSITORY, "docs/operations.md").read_text()
    snippet = document.split("### Servers that Prometheus discovers")[1].split("```yaml\n")[1].split("```")[0]
    [job] = yaml.safe_load(snippet)["scrape_configs"]
    place = f"127.0.0.1:{newest.port}"
    assert job.pop("dns_sd_configs") and job.pop("job_name")
    module = {"allow": [place], "dsn": "user=postgres sslmode=require"}
    with Exporter({"auth_modules": {"cluster": module}}) as exporter:
        job["static_configs"] = [{"targets": [place, "127.0.0.1:1"]}]
        job["relabel_configs"][-1]["replacement"] = f"127.0.0.1:{exporter.port}"
        with _or_skip(Prometheus({"pgconn-probe": job})) as server:
            eventually(lambda: server.value("probe_success") == 1, 60, "a probe")
            assert server.value("pgconn_up") == 1
            eventually(lambda: {row["target"]: value for row, value in server.query("up")} == {place: 1, "127.0.0.1:1": 0})
