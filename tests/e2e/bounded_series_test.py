"""What a peer chooses to send does not create series without limit."""

import itertools

from tests.support.peers import Peer, message
from tests.support.process import eventually


class Whimsical(Peer):
    """Refuses each login with a SQLSTATE that it never used before."""

    _count = itertools.count()

    def converse(self, connection):
        connection.recv(4096)
        sqlstate = f"Z{next(self._count):04}".encode()
        connection.sendall(message(b"E", b"SFATAL\0C" + sqlstate + b"\0Mno\0\0"))
        connection.close()


def test_sqlstates_that_postgresql_does_not_have_are_one_series(run_exporter):
    with Whimsical() as peer:
        exporter = run_exporter({"targets": [{
            "name": "peer", "dsn": f"host=127.0.0.1 port={peer.port} user=x sslmode=disable",
            "probes": {"connect": {"interval": "1s", "timeout": "900ms"}},
        }]})
        eventually(lambda: exporter.metrics() and peer.accepted >= 12, what="a dozen refusals")
        families = exporter.metrics()
    for name in ("pgconn_scrape_errors_total", "pgconn_probe_failures_total"):
        refused = [sample for sample in families.samples(name) if sample.value]
        assert {sample.labels["sqlstate"] for sample in refused} == {"other"}, refused
    assert families.sum("pgconn_probe_failures_total", sqlstate="other") >= 3
