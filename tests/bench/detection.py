"""How long it takes from the end of a held connection until it is counted; run it with scripts/bench.

A drop is counted when a scrape shows it, so the time of the scrapes is part of the result: from the loss on,
scrapes follow one another without a pause.
"""

import contextlib
import os
import statistics
import sys
import time

from tests.bench.measure import available_box, row
from tests.support.exporter import Exporter
from tests.support.process import eventually

KILLS = int(os.environ.get("PGCONN_BENCH_KILLS", "60"))
TARGETS = 12
PAUSE = 4.0  # between two losses of one target: closer ones are one incident
MEDIAN_MS, AT_ONCE, AT_ONCE_SECONDS = 20, 100, 1.0
CHEAPEST = "collect[]=server"


class Ledger:
    """What one exporter has counted for a target."""

    def __init__(self, exporter, target):
        self._read = lambda: exporter.metrics(f"target={target}&{CHEAPEST}")

    def drops(self):
        return self._read().sum("pgconn_connection_drops_total")

    def counted(self, drops, timeout=30.0):
        """When the counter was seen to have reached this value, as Unix time."""
        end = time.time() + timeout
        while self.drops() < drops:
            if time.time() > end:
                raise TimeoutError(f"{drops} drops: not within {timeout} s")
        return time.time()


class Victims:
    """The backends of held connections, by the role that a target logs in with."""

    def __init__(self, box, purpose):
        self._connection = box.connect()
        self.purpose = purpose

    def pids(self, role):
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND usename = %s"
                " AND state = 'idle'", (f"pgconn_exporter/{self.purpose}", role),
            )
            return [pid for (pid,) in cursor.fetchall()]

    def terminate(self, pids):
        """Ends them all with one statement; when that was sent, as Unix time."""
        with self._connection.cursor() as cursor:
            sent = time.time()
            cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", (pids,))
            return sent

    def close(self):
        self._connection.close()


def report_one_by_one(box):
    """Each target loses its one connection, in turn."""
    names = [f"watch{number}" for number in range(TARGETS)]
    for name in names:
        box.psql(f"CREATE ROLE {name} LOGIN; GRANT pg_monitor TO {name}")
    config = {
        "targets": [{"name": name, "dsn": box.dsn(name)} for name in names],
        "probes": {"roundtrip": {"interval": "1s", "timeout": "900ms"}},
    }
    times, last = [], dict.fromkeys(names, 0.0)
    with Exporter(config) as exporter, contextlib.closing(Victims(box, "roundtrip")) as victims:
        exporter.metrics()
        for number in range(KILLS):
            name = names[number % TARGETS]
            ledger = Ledger(exporter, name)
            time.sleep(max(0.0, last[name] + PAUSE - time.time()))
            pids = eventually(lambda name=name: victims.pids(name), what=f"a connection of {name}")
            before = ledger.drops()
            last[name] = victims.terminate(pids)
            times.append((ledger.counted(before + 1) - last[name]) * 1000)
    print(f"{KILLS} terminated one by one: {min(times):.1f} ms at least, {statistics.median(times):.1f} ms median, "
          f"{max(times):.1f} ms at most")
    return row("from pg_terminate_backend to the counter", statistics.median(times), MEDIAN_MS, "ms, median")


def report_all_at_once(box):
    """One target loses a hundred connections to one statement."""
    config = {
        "global": {"max_connections_per_target": AT_ONCE + 2},
        "targets": [{"name": "box", "dsn": box.dsn()}],
        "probes": {"idle": {"canaries": AT_ONCE}},
    }
    with Exporter(config) as exporter, contextlib.closing(Victims(box, "idle")) as victims:
        exporter.metrics()
        eventually(lambda: len(victims.pids("postgres")) == AT_ONCE, 180, f"{AT_ONCE} held connections")
        sent = victims.terminate(victims.pids("postgres"))
        took = Ledger(exporter, "box").counted(AT_ONCE) - sent
    return row(f"{AT_ONCE} terminated at once: until all are counted", took, AT_ONCE_SECONDS, "s")


def main():
    with available_box(max_connections=AT_ONCE + 50) as box:
        print(f"PostgreSQL {box.version}, TLS", flush=True)
        good = report_one_by_one(box)
        good &= report_all_at_once(box)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
