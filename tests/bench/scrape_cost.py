"""What a scrape costs, against the bare cost of reading pg_stat_activity; prints ratios of one run.

Run it with scripts/bench. Wall times are medians; CPU is the kernel's own account (schedstat).
"""

import asyncio
import contextlib
import os
import statistics
import sys
import threading
import time

from tests.bench.measure import available_box, cpu_seconds, resident_megabytes, row
from tests.support.exporter import Exporter
from tests.support.process import free_port

FLOOR = "SELECT count(*) FROM pg_stat_get_activity(NULL)"
ROUNDS = int(os.environ.get("PGCONN_BENCH_ROUNDS", "200"))
ADDED_ROUND_TRIP = 0.020


class Delay:
    """A TCP relay on loopback that adds half a round trip in each direction."""

    def __init__(self, port):
        self.port = free_port()
        self._to = port
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        server = asyncio.start_server(self._accept, "127.0.0.1", self.port)
        asyncio.run_coroutine_threadsafe(server, self._loop).result(5)

    async def _accept(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._relay(reader, far_writer), self._relay(far_reader, writer))

    async def _relay(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self._loop.call_later(ADDED_ROUND_TRIP / 2, writer.write, data)
        self._loop.call_later(ADDED_ROUND_TRIP / 2, writer.close)


def measure(box, exporter):
    """Medians of wall time and means of CPU, of the floor and of a scrape in turn."""
    exporter.metrics("target=box")
    with contextlib.closing(box.connect(sslmode="disable")) as connection:
        cursor = connection.cursor()
        cursor.execute(f"PREPARE floor AS {FLOOR}")
        floor_pid = connection.get_backend_pid()
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pgconn_exporter/%'")
        (backend,) = cursor.fetchone()
        pids = {"floor": floor_pid, "backend": backend, "exporter": exporter.process.pid}
        for _ in range(5):  # plans cached, pages warm
            cursor.execute("EXECUTE floor")
            exporter.get("/metrics?target=box")
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        wall = {"floor": [], "scrape": []}
        for _ in range(ROUNDS):
            start = time.perf_counter()
            cursor.execute("EXECUTE floor")
            cursor.fetchall()
            middle = time.perf_counter()
            exporter.get("/metrics?target=box")
            wall["floor"].append(middle - start)
            wall["scrape"].append(time.perf_counter() - middle)
        cpu = {name: (cpu_seconds(pid) - before[name]) / ROUNDS for name, pid in pids.items()}
    return {name: statistics.median(times) for name, times in wall.items()}, cpu


def config(box, port=None):
    dsn = f"host=127.0.0.1 port={port or box.port} user=postgres dbname=postgres sslmode=disable"
    return {"targets": [{"name": "box", "dsn": dsn}]}


def report_load(box, sessions):
    with Exporter(config(box)) as exporter:
        wall, cpu = measure(box, exporter)
        ms = {name: seconds * 1000 for name, seconds in {**wall, **{f"cpu {k}": v for k, v in cpu.items()}}.items()}
        print(f"{sessions} sessions, {ROUNDS} rounds: floor {ms['floor']:.2f} ms wall, {ms['cpu floor']:.2f} ms CPU; "
              f"scrape {ms['scrape']:.2f} ms wall, {ms['cpu backend']:.2f} ms server CPU")
        good = True
        if sessions >= 1000:
            good &= row("scrape / floor, wall time", wall["scrape"] / wall["floor"], 1.5, "times")
            good &= row("scrape / floor, server's CPU", cpu["backend"] / cpu["floor"], 1.5, "times")
            good &= row("exporter's own CPU a scrape", ms["cpu exporter"], 1.0, "ms")
        else:
            good &= row("scrape, wall time", ms["scrape"], 5.0, "ms")
            good &= row("exporter's own CPU a scrape", ms["cpu exporter"], 0.5, "ms")
        good &= row("resident memory, one target", resident_megabytes(exporter.process.pid), 20, "MB")
    return good


def report_round_trips(box):
    relay = Delay(box.port)
    with Exporter(config(box, relay.port)) as exporter:
        exporter.metrics("target=box")
        times = []
        for _ in range(20):
            start = time.perf_counter()
            exporter.get("/metrics?target=box")
            times.append(time.perf_counter() - start)
    median = statistics.median(times)
    print(f"{ADDED_ROUND_TRIP * 1000:.0f} ms added round trip: scrape {median * 1000:.1f} ms")
    return row("round trips a scrape", median / ADDED_ROUND_TRIP, 2, "round trips")


def main():
    with available_box(max_connections=2100) as box, contextlib.ExitStack() as held:
        print(f"PostgreSQL {box.version}", flush=True)
        good = True
        open_sessions = 0
        for sessions in (10, 2000):
            for number in range(open_sessions, sessions):
                connection = box.connect(sslmode="disable", sslrootcert=None, application_name=f"app{number % 20}")
                connection.autocommit = number % 10 != 0
                connection.cursor().execute("SELECT 1")  # every tenth stays in its transaction
                held.callback(connection.close)
            open_sessions = sessions
            good &= report_load(box, sessions)
            if sessions == 10:
                good &= report_round_trips(box)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
