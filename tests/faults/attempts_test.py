"""When probes connect: no more than once per interval where they are not let in, and those of many targets not at once."""

import re
import time

from tests.support.exporter import Exporter
from tests.support.peers import Peer
from tests.support.process import eventually

INTERVAL = 1
PACE = {"interval": f"{INTERVAL}s", "timeout": "900ms"}
PURPOSE = re.compile(rb"application_name\0pgconn_exporter/(\w+)\0")
DATABASE = re.compile(rb"database\0(\w+)\0")


class Turnstile(Peer):
    """Notes each connection, and closes it."""

    def __init__(self):
        self.heard = []
        super().__init__()

    def converse(self, connection):
        now, words = time.monotonic(), connection.recv(4096)
        purpose, database = PURPOSE.search(words), DATABASE.search(words)
        self.heard.append((purpose[1].decode() if purpose else "", now, database[1].decode() if database else ""))
        connection.close()

    def times(self, purpose):
        return [when for who, when, _ in list(self.heard) if who == purpose]

    def first_times(self, purpose):
        """When this purpose was first heard for each database."""
        first = {}
        for who, when, database in list(self.heard):
            if who == purpose:
                first.setdefault(database, when)
        return sorted(first.values())

    def dsn(self, database):
        return (f"host=127.0.0.1 port={self.port} dbname={database} user=postgres"
                " sslmode=disable gssencmode=disable")


def test_a_server_that_lets_nobody_in_is_tried_once_per_interval_and_by_canaries_more_and_more_rarely():
    with Turnstile() as door:
        probes = {"connect": PACE, "roundtrip": PACE, "idle": {"canaries": 1}, "certificate": False}
        with Exporter({"targets": [{"name": "closed", "dsn": door.dsn("postgres")}], "probes": probes}):
            eventually(lambda: min(len(door.times(who)) for who in ("connect", "roundtrip")) >= 8, 60)
    assert {who for who, _, _ in door.heard} == {"connect", "roundtrip", "idle", "diagnose"}
    for who in ("connect", "roundtrip"):
        times = door.times(who)
        # One that came late, on a busy machine, may be followed closely by the next one.
        assert len(times) <= (times[-1] - times[0]) / INTERVAL + 2, (who, times)
    # An eighth, a quarter, half a second and so on at least: five waits take longer than three seconds.
    canary = door.times("idle")
    assert all(later - earlier > 3 for earlier, later in zip(canary, canary[5:])), canary
    diagnoses = door.times("diagnose")
    assert all(later - earlier > 2 for earlier, later in zip(diagnoses, diagnoses[1:])), diagnoses


def test_probes_of_many_targets_that_begin_together_are_spread_over_their_interval():
    targets, interval = 20, 4
    pace = {"interval": f"{interval}s", "timeout": "900ms"}
    with Turnstile() as door:
        config = {
            "targets": [{"name": f"db{number}", "dsn": door.dsn(f"db{number}")} for number in range(targets)],
            "probes": {"connect": pace, "roundtrip": pace},
        }
        with Exporter(config):
            eventually(lambda: all(len(door.first_times(who)) == targets for who in ("connect", "roundtrip")))
        for who in ("connect", "roundtrip"):
            times = door.first_times(who)
            # Without spreading, they would come 20 ms after one another.
            assert times[-1] - times[0] > interval / 2, (who, times)
            crowd = max(sum(begin <= when < begin + interval / 4 for when in times) for begin in times)
            assert crowd <= targets / 2, (who, times)
