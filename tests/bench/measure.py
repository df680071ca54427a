"""What the measurements share: what a process used, a server to measure with, and a verdict on a figure."""

import contextlib
from pathlib import Path

from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable


def cpu_seconds(pid):
    """CPU that a process and its threads have used: the kernel's own account, in nanoseconds."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # a thread that just ended
            total += int(path.read_text().split()[0])
    return total / 1e9


def resident_megabytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def available_box(**settings):
    """A running server of the most common version, or else of the newest; a context manager."""
    for version in (15, *reversed(known_versions())):
        with contextlib.suppress(Unavailable):
            return PgBox(version).start(**settings)
    raise SystemExit("no PostgreSQL can be had here")


def row(name, value, limit, unit):
    """Prints a figure beside its limit; returns whether it is within it."""
    verdict = "ok" if value <= limit else "ABOVE"
    print(f"  {name:<46} {value:8.2f} {unit:<12} (at most {limit:g})  {verdict}", flush=True)
    return value <= limit
