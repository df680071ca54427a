"""A server that lets us in and misbehaves harms neither the exporter nor its other targets: all probes on."""

import pytest

from tests.support.fake_server import MISBEHAVIOURS, FakeServer
from tests.support.process import eventually

# The defaults, faster.
PROBES = {
    "connect": {"interval": "1s", "timeout": "900ms"},
    "roundtrip": {"interval": "1s", "timeout": "900ms"},
    "idle": {"ladder": ["1s", "2s"], "canaries": 2, "timeout": "1s"},
    "longquery": False,
    "certificate": {"interval": "1s", "timeout": "900ms"},
}
REASONS = {
    "twelve": {"unsupported_version"},
    "a version that is none": {"unsupported_version"},
    "never ready": {"timeout"},
    "an error for everything": {"server_error"},
    "a fatal error for everything": {"terminated"},
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_misbehaving_server_harms_nobody(name, newest, run_exporter):
    with FakeServer(MISBEHAVIOURS[name]) as peer:
        exporter = run_exporter({"probes": PROBES, "targets": [
            {"name": "fake", "dsn": f"host=127.0.0.1 port={peer.port} user=x sslmode=disable"},
            {"name": "healthy", "dsn": newest.dsn()},
        ]})

        def scrape():
            return exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})

        def attempts(target):
            return scrape().value("pgconn_probe_attempts_total", target=target, probe="roundtrip")

        eventually(lambda: attempts("fake") >= 3 and attempts("healthy") >= 3, what="three attempts of each")
        before = scrape()
        eventually(lambda: attempts("fake") >= 6, what="three more")
        families = scrape()

    assert families.value("pgconn_up", target="fake") == 0
    assert families.value("pgconn_up", target="healthy") == 1
    assert families.value("pgconn_probe_success", target="healthy", probe="roundtrip") == 1
    assert families.sum("pgconn_connection_drops_total", target="healthy") == 0
    met = {sample.labels["reason"] for sample in families.samples("pgconn_probe_failures_total", target="fake")
           if sample.value}
    assert met & REASONS.get(name, {"protocol"}), met
    assert families.value("process_resident_memory_bytes") < 100e6
    assert families.value("process_open_fds") <= before.value("process_open_fds") + 10
