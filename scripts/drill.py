"""The drill of scripts/demo: real faults, and how long it takes until each has paged and is over again."""

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import Callable

from scripts.progress import step
from tests.support.process import eventually

# The rules decide this many times faster than in real time: `for: 10m` is ten seconds.
FACTOR = 60
# Half of it is when the alert comes; with time to spare until the server ends the session.
IDLE_TIMEOUT = 30
CONFIG = """\
probes:
  connect: {interval: 1s, timeout: 900ms}
  roundtrip: {interval: 1s, timeout: 900ms}
  idle: {ladder: [5s, 10s, 20s], canaries: 2}
  certificate: {interval: 1s, timeout: 900ms}
"""


@dataclass(frozen=True)
class Fault:
    what: str
    alert: str
    begin: Callable
    mend: Callable


class IdleTransaction:
    """A client that changes a row and then waits for somebody, inside its transaction."""

    def __init__(self, box):
        self._box = box

    def begin(self):
        self._connection = self._box.connect("web", application_name="checkout")
        self._connection.cursor().execute("BEGIN; UPDATE orders SET total = total + 1 WHERE id = 7")

    def mend(self):
        with contextlib.closing(self._connection):
            self._connection.cursor().execute("COMMIT")


def faults(box):
    idle = IdleTransaction(box)
    return [
        Fault("a session stays idle in a transaction", "PgConnIdleInTransactionNearTimeout", idle.begin, idle.mend),
        Fault("all connections of the exporter are terminated", "PgConnAllDropped",
              lambda: box.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE application_name LIKE 'pgconn_exporter/%'"),
              lambda: None),
        Fault("the server's certificate has two days left", "PgConnCertificateExpiry",
              lambda: box.use_certificate("ending"), lambda: box.use_certificate("server")),
    ]


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def drill(box, pager):
    """Provokes each fault, waits for its alert at the webhook, mends it, and waits until that is told too."""
    eventually(lambda: (pager.prometheus.value("sum(pgconn_held_connections)") or 0) == 3, 60, "held connections")
    rows = [("fault", "alert", "severity", "fired after", "resolved after")]
    for fault in faults(box):
        with step(fault.what):
            begun = time.monotonic()
            fault.begin()
            notice = pager.webhook.wait(fault.alert, timeout=90)
            fired = notice.at - begun
            print(f"   {fired:4.1f} s  {notice.labels['severity']} to {notice.receiver}: "
                  f"{notice.annotations['summary']}", file=sys.stderr, flush=True)
            mended = time.monotonic()
            fault.mend()
            resolved = pager.webhook.wait(fault.alert, "resolved", timeout=120).at - mended
        rows.append((fault.what, fault.alert, notice.labels["severity"], f"{fired:.1f} s", f"{resolved:.1f} s"))
    print(f"\nThe drill; rules {FACTOR} times faster than they come: `for: 10m` is ten seconds.\n")
    print_table(rows)
    echoes = sorted(pager.paged() - {row[1] for row in rows} - {"PgConnWatchdog"})
    heard = any(notice.name == "PgConnWatchdog" for notice in pager.webhook.notices)
    print(f"\nalso told: {', '.join(echoes) or 'nothing'}; the watchdog was {'' if heard else 'not '}heard")
