"""A login that computes for hours costs one thread of low priority, and no other target a round trip."""

import base64
import contextlib
import struct

import pytest

from tests.support.peers import Peer, message
from tests.support.process import eventually

PROBES = {
    "connect": {"interval": "2s", "timeout": "1900ms"},
    "roundtrip": {"interval": "1s", "timeout": "900ms"},
    "idle": {"ladder": ["1s", "2s"], "canaries": 2, "timeout": "2s"},
    "longquery": False,
}


class Scram(Peer):
    """Begins SCRAM-SHA-256 and asks for so many iterations."""

    def __init__(self, iterations):
        self._iterations = iterations
        self.asked = 0
        super().__init__()

    def converse(self, connection):
        connection.recv(4096)
        connection.sendall(message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
        first = connection.recv(4096)
        nonce = first[first.index(b"r=") + 2:].split(b",")[0]
        salt = base64.b64encode(b"0123456789abcdef")
        challenge = b"r=%sserver,s=%s,i=%d" % (nonce, salt, self._iterations)
        connection.sendall(message(b"R", struct.pack("!i", 11) + challenge))
        self.asked += 1
        with contextlib.suppress(OSError):
            connection.recv(4096)
        connection.close()


@pytest.mark.parametrize("iterations", [5_000_000, 2_147_483_647])
def test_a_login_that_computes_for_a_long_time_delays_nothing_else(iterations, newest, run_exporter):
    with Scram(iterations) as peer:
        exporter = run_exporter({"probes": PROBES, "global": {"scrape_timeout": "2s", "connect_timeout": "1s"}, "targets": [
            {"name": "costly", "dsn": f"host=127.0.0.1 port={peer.port} user=x sslmode=disable", "password_env": "SECRET"},
            {"name": "healthy", "dsn": newest.dsn()},
        ]}, env={"SECRET": "secret"})

        def scrape():
            return exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})

        def attempts(families):
            return families.value("pgconn_probe_attempts_total", target="healthy", probe="roundtrip")

        eventually(lambda: scrape() and peer.asked, what="the question")
        eventually(lambda: scrape().value("pgconn_exporter_login_threads_wedged"), what="a login that was given up")
        before = attempts(scrape())
        round_trips = []

        def watched():
            families = scrape()
            round_trips.append(families.value("pgconn_probe_last_duration_seconds", target="healthy",
                                              probe="roundtrip", phase="query"))
            return attempts(families) >= before + 4

        eventually(watched, what="four round trips of the healthy target")
        families = scrape()
        assert exporter.get("/-/healthy").status == 200
        assert sorted(round_trips)[len(round_trips) // 2] < 0.02
        assert families.value("pgconn_up", target="costly") == 0
        assert families.value("pgconn_up", target="healthy") == 1
        assert families.sum("pgconn_probe_failures_total", target="healthy") == 0
        assert families.sum("pgconn_probe_failures_total", target="costly", reason="timeout") > 0
        # One thread, no matter how often it was tried.
        assert families.value("pgconn_exporter_login_threads_wedged") <= 1
        exporter.stop()
