"""What a thousand targets cost one exporter: CPU, memory, and how it spreads their connections.

Run it with scripts/bench. Each target is connected to every minute, queried on a held connection every 15
seconds, has one canary, and its certificate is checked every five minutes; all over TLS, on a few real
servers. Fails if a limit is broken.
"""

import collections
import contextlib
import datetime
import os
import re
import sys
import time

from tests.bench.measure import available_box, cpu_seconds, resident_megabytes, row
from tests.support.exporter import Exporter
from tests.support.process import eventually

TARGETS = int(os.environ.get("PGCONN_BENCH_TARGETS", "1000"))
SECONDS = int(os.environ.get("PGCONN_BENCH_SECONDS", "120"))
SERVERS = 4
SESSIONS_OF_TARGET = 4  # collect, roundtrip, canary, and one that comes and goes
CORES, MEGABYTES = 1.0, 400
MOST_A_SECOND = 400
PROBES = {
    "connect": {"interval": "60s"},
    "roundtrip": {"interval": "15s"},
    "idle": {"canaries": 1},
    "certificate": True,
}
ARRIVAL = re.compile(r"^(\S+ \S+) UTC .*connection received", re.M)


def config(boxes):
    targets = [
        {"name": f"target{number}", "dsn": boxes[number % len(boxes)].dsn()} for number in range(TARGETS)
    ]
    return {"targets": targets, "probes": PROBES}


class Fleet:
    """The exporter, seen from the servers: asking it for metrics would make it collect."""

    def __init__(self, boxes):
        self._boxes = boxes
        self._stack = contextlib.ExitStack()
        self._admins = [self._stack.enter_context(contextlib.closing(box.connect())) for box in boxes]

    def close(self):
        self._stack.close()

    def sessions(self):
        """How many there are by purpose."""
        counted = collections.Counter()
        for admin in self._admins:
            with admin.cursor() as cursor:
                cursor.execute(
                    "SELECT split_part(application_name, '/', 2), count(*) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'pgconn_exporter/%' GROUP BY 1"
                )
                counted.update(dict(cursor.fetchall()))
        return counted

    def arrivals(self, since):
        """When connections arrived at the servers, in seconds after `since`."""
        times = []
        for box in self._boxes:
            for moment in ARRIVAL.findall(box.log()):
                arrived = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.timezone.utc)
                times.append(arrived.timestamp() - since)
        return sorted(moment for moment in times if moment >= 0)


def busiest(times, window):
    """The most moments that lie within `window` seconds."""
    most, first = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] > window:
            first += 1
        most = max(most, last - first + 1)
    return most


def report_start(fleet, started):
    eventually(
        lambda: fleet.sessions()["roundtrip"] >= TARGETS and fleet.sessions()["idle"] >= TARGETS,
        timeout=180, what="all connections held",
    )
    took = time.time() - started
    time.sleep(max(0.0, 60 - took))  # a round of the connect probes
    times = fleet.arrivals(started)
    print(f"{2 * TARGETS} connections held after {took:.1f} s; {len(times)} were opened in the first minute, "
          f"{busiest(times, 0.1)} of them within 100 ms", flush=True)
    return row("connections opened within a second", busiest(times, 1), MOST_A_SECOND, "")


def report_cost(exporter, fleet):
    pid = exporter.process.pid
    before, begin, since = cpu_seconds(pid), time.monotonic(), time.time()
    time.sleep(SECONDS)
    took = time.monotonic() - begin
    cores = (cpu_seconds(pid) - before) / took
    print(f"{took:.0f} s in which {len(fleet.arrivals(since))} connections were opened: "
          f"{cores * 1000:.1f} ms CPU a second, {resident_megabytes(pid) * 1024 / TARGETS:.0f} kB a target", flush=True)
    good = row("CPU of the exporter", cores, CORES, "cores")
    good &= row("resident memory", resident_megabytes(pid), MEGABYTES, "MB")
    return good


def report_health(exporter, fleet):
    """Doing nothing is cheap too: every tenth target must have probed without a failure."""
    lost = [line for line in exporter.process.log_lines if "connections were lost" in line]
    failures, silent = 0, 0
    for number in range(0, TARGETS, 10):
        families = exporter.metrics(f"target=target{number}&collect[]=server")
        failures += families.sum("pgconn_probe_failures_total")
        asked = families.value("pgconn_probe_attempts_total", probe="roundtrip")
        silent += asked < (SECONDS - 15) / 15 or families.value("pgconn_probe_success", probe="connect") != 1
    held = fleet.sessions()
    print(*lost[:5], sep="\n", end="\n" if lost else "")
    good = row("targets that did not probe as they should", silent, 0, "")
    good &= row("failures of probes", failures, 0, "")
    good &= row("connections lost", len(lost) + 2 * TARGETS - held["roundtrip"] - held["idle"], 0, "")
    return good


def main():
    slots = TARGETS * SESSIONS_OF_TARGET // SERVERS + 20
    with contextlib.ExitStack() as stack:
        boxes = [
            stack.enter_context(available_box(max_connections=slots, shared_buffers="16MB"))
            for _ in range(SERVERS)
        ]
        fleet = stack.enter_context(contextlib.closing(Fleet(boxes)))
        print(f"{TARGETS} targets on {SERVERS} servers (PostgreSQL {boxes[0].version}), TLS", flush=True)
        started = time.time()
        exporter = stack.enter_context(Exporter(config(boxes)))
        good = report_start(fleet, started)
        good &= report_cost(exporter, fleet)
        good &= report_health(exporter, fleet)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
