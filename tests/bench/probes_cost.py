"""What the exporter costs as shipped, watching one target; run it with scripts/bench."""

import os
import sys
import time

from tests.bench.measure import available_box, cpu_seconds, resident_megabytes, row
from tests.support.exporter import Exporter
from tests.support.process import eventually

SECONDS = int(os.environ.get("PGCONN_BENCH_SECONDS", "120"))
MS_A_SECOND = 1.0
MEGABYTES = 20
SCRAPES = 100
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
        scrape_ms, megabytes = {}, {}
        for exporter in (probing, idle):
            before = cpu_seconds(exporter.process.pid)
            for _ in range(SCRAPES):
                exporter.get("/metrics")
            scrape_ms[exporter] = (cpu_seconds(exporter.process.pid) - before) * 1000 / SCRAPES
            megabytes[exporter] = resident_megabytes(exporter.process.pid)
    print(f"PostgreSQL {box.version}, TLS, default probes, {took:.0f} s: {ms[probing]:.3f} ms CPU a second; "
          f"without probes {ms[idle]:.3f} ms")
    print(f"a scrape {scrape_ms[probing]:.2f} ms CPU, {megabytes[probing]:.1f} MB resident; "
          f"without probes {scrape_ms[idle]:.2f} ms, {megabytes[idle]:.1f} MB")
    good = row("CPU of the default probes", ms[probing] - ms[idle], MS_A_SECOND, "ms/s")
    good &= row("resident memory, default probes", megabytes[probing], MEGABYTES, "MB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
