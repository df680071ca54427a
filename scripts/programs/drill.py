"""The drill of scripts/demo: real faults, and how long each takes to page and to be resolved."""

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import Callable

from scripts.programs.progress import step
from tests.support.process import eventually

# The rules run this many times faster than in real time: `for: 10m` is ten seconds.
FACTOR = 60
# The alert comes after half of it, with time to spare before the server ends the session.
IDLE_TIMEOUT = 30
_LONGEST = 120  # seconds until an alert comes or goes; the longest takes 20 on an idle machine
CONFIG = """\
probes:
  connect: {interval: 2s, timeout: 1900ms}
  roundtrip: {interval: 2s, timeout: 1900ms}
  idle: {ladder: [5s, 10s, 20s], canaries: 2}
  certificate: {interval: 2s, timeout: 1900ms}
"""


@dataclass(frozen=True)
class Fault:
    what: str
    alert: str
    begin: Callable
    mend: Callable


class IdleTransaction:
    """A client that changes a row and then stays idle inside its transaction."""

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
    """Provokes each fault, waits for its alert at the webhook, fixes it, and waits until that arrives too."""
    with step("waiting until the exporter holds its connections: a round trip's and two canaries"):
        eventually(lambda: (pager.prometheus.value("sum(pgconn_held_connections)") or 0) >= 3, 60, "held connections")
    rows = [("fault", "alert", "severity", "fired after", "resolved after")]
    for fault in faults(box):
        with step(fault.what):
            begun = time.monotonic()
            fault.begin()
            notice = pager.webhook.wait(fault.alert, timeout=_LONGEST)
            fired = notice.at - begun
            print(f"   {fired:4.1f} s  {notice.labels['severity']} to {notice.receiver}: "
                  f"{notice.annotations['summary']}", file=sys.stderr, flush=True)
            mended = time.monotonic()
            fault.mend()
            resolved = pager.webhook.wait(fault.alert, "resolved", timeout=_LONGEST).at - mended
        rows.append((fault.what, fault.alert, notice.labels["severity"], f"{fired:.1f} s", f"{resolved:.1f} s"))
    print(f"\nThe drill. Its rules decide {FACTOR} times faster than yours will: `for: 10m` is ten seconds. An alert is"
          "\nresolved some time after its cause has ended.\n")
    print_table(rows)
    print_others(pager, {row[1] for row in rows})


def print_others(pager, drilled):
    """Prints other alerts that arrived in the meantime, such as an alert's milder sibling."""
    others = sorted(pager.paged() - drilled - {"PgConnWatchdog"})
    if others:
        print("\nWhat else was told:")
    for name in others:
        notice = pager.webhook.find(name)
        print(f"  {name} ({notice.labels['severity']}): {notice.annotations['summary']}")
    heard = pager.webhook.find("PgConnWatchdog")
    print(f"\nThe watchdog, which always fires to prove that alerts arrive, was {'heard' if heard else 'NOT heard'}.")
