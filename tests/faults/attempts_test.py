"""How often a server that cannot be had is tried: no probe knocks more than once an interval."""

import re
import time

from tests.support.exporter import Exporter
from tests.support.peers import Peer
from tests.support.process import eventually

INTERVAL = 1
PACE = {"interval": f"{INTERVAL}s", "timeout": "900ms"}
PURPOSE = re.compile(rb"application_name\0pgconn_exporter/(\w+)\0")


class Turnstile(Peer):
    """Hears who comes, and closes the door."""

    def __init__(self):
        self.heard = []
        super().__init__()

    def converse(self, connection):
        purpose = PURPOSE.search(connection.recv(4096))
        self.heard.append((purpose[1].decode() if purpose else "", time.monotonic()))
        connection.close()

    def times(self, purpose):
        return [when for who, when in list(self.heard) if who == purpose]


def test_a_server_that_lets_nobody_in_is_tried_once_an_interval_and_by_canaries_ever_more_rarely():
    with Turnstile() as door:
        dsn = f"host=127.0.0.1 port={door.port} dbname=postgres user=postgres sslmode=disable gssencmode=disable"
        probes = {"connect": PACE, "roundtrip": PACE, "idle": {"canaries": 1}, "certificate": False}
        with Exporter({"targets": [{"name": "closed", "dsn": dsn}], "probes": probes}):
            eventually(lambda: min(len(door.times(who)) for who in ("connect", "roundtrip")) >= 8, 60)
    assert {who for who, _ in door.heard} == {"connect", "roundtrip", "idle", "diagnose"}
    for who in ("connect", "roundtrip"):
        times = door.times(who)
        # One that came late, on a busy machine, may be followed closely by the next.
        assert len(times) <= (times[-1] - times[0]) / INTERVAL + 2, (who, times)
    # An eighth, a quarter, half a second and so on at least: five waits take longer than three seconds.
    canary = door.times("idle")
    assert all(later - earlier > 3 for earlier, later in zip(canary, canary[5:])), canary
    diagnoses = door.times("diagnose")
    assert all(later - earlier > 2 for earlier, later in zip(diagnoses, diagnoses[1:])), diagnoses
