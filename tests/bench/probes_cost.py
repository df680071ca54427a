"""What the default probes of one target cost the exporter in CPU; run it with scripts/bench."""

import os
import sys
import time

from tests.bench.measure import available_box, cpu_seconds, row
from tests.support.exporter import Exporter
from tests.support.process import eventually

SECONDS = int(os.environ.get("PGCONN_BENCH_SECONDS", "120"))
MS_A_SECOND = 1.0
DEFAULTS = {"connect": True, "roundtrip": True, "idle": True, "certificate": True}


def started(box, probes):
    return Exporter({"targets": [{"name": "box", "dsn": box.dsn()}], "probes": probes})


def main():
    with available_box() as box, started(box, DEFAULTS) as probing, started(box, {}) as idle:
        eventually(
            lambda: probing.metrics().sum("pgconn_held_connections") == 3, what="all held connections"
        )
        idle.metrics()
        used = {exporter: cpu_seconds(exporter.process.pid) for exporter in (probing, idle)}
        begin = time.monotonic()
        time.sleep(SECONDS)
        took = time.monotonic() - begin
        ms = {
            exporter: (cpu_seconds(exporter.process.pid) - before) * 1000 / took
            for exporter, before in used.items()
        }
    print(f"PostgreSQL {box.version}, TLS, default probes, {took:.0f} s: {ms[probing]:.3f} ms CPU a second; "
          f"without probes {ms[idle]:.3f} ms")
    return 0 if row("CPU of the default probes", ms[probing] - ms[idle], MS_A_SECOND, "ms/s") else 1


if __name__ == "__main__":
    sys.exit(main())
