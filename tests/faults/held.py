"""An exporter with fast probes, seen from both sides: what it holds, and what it reports about losses."""

import contextlib
import os
import signal

from tests.integration.scenes import by
from tests.support import logfmt
from tests.support.process import eventually

# As patient as possible (below the interval): on a busy machine an answer takes its time.
FAST = {
    "connect": {"interval": "1500ms", "timeout": "1400ms"},
    "roundtrip": {"interval": "2s", "timeout": "1900ms"},
    "idle": {"ladder": ["2s", "4s", "6s"], "canaries": 2, "timeout": "5s"},
}
ROUNDTRIP = "pgconn_exporter/roundtrip"
CANARY = "pgconn_exporter/idle"


def nonzero(values):
    return {labels: value for labels, value in values.items() if value}


def drops(families):
    """Drops by (probe, cause, SQLSTATE)."""
    samples = families.samples("pgconn_connection_drops_total")
    return nonzero(by(("probe", "cause", "sqlstate"), samples))


def incidents(families):
    """Incidents by (cause, scope)."""
    return nonzero(by(("cause", "scope"), families.samples("pgconn_drop_incidents_total")))


def failures(families, probe="connect"):
    """Failures of one probe by (phase, reason, SQLSTATE)."""
    samples = families.samples("pgconn_probe_failures_total", probe=probe)
    return nonzero(by(("phase", "reason", "sqlstate"), samples))


# All give up soon, and the exporter's own investigation takes longer.
HASTY = {
    "connect": False, "roundtrip": {"interval": "500ms", "timeout": "400ms"},
    "idle": {"ladder": ["1h"], "canaries": 2, "timeout": "400ms"},
}


class Held:
    """The three connections that the fast probes of one exporter hold: a roundtrip, two canaries."""

    WHOLE = {"roundtrip": 1, "idle": 2}

    def __init__(self, scene, role="postgres", dsn=None, **probes):
        self._scene = scene
        self.exporter = scene.watch(role, dsn, probes={**FAST, **probes})

    def metrics(self):
        return self.exporter.metrics()

    def until_whole(self):
        """Waits until all connections are held, and a scrape has seen the server."""

        def whole():
            families = self.metrics()
            held = by("probe", families.samples("pgconn_held_connections"))
            return self.WHOLE.items() <= held.items() and families.value("pgconn_up") == 1

        eventually(whole, what="all held connections")
        return self

    def until_given_up(self):
        """Waits until none of them is held any more, with scrapes that nobody answers either."""

        def gone():
            families = self.exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"})
            return sum(by("probe", families.samples("pgconn_held_connections")).values()) == 0

        eventually(gone, what="the end of all held connections")

    def until_asked(self, probe, times):
        """Waits until a probe was tried that many times more."""

        def attempts():
            return self.metrics().value("pgconn_probe_attempts_total", probe=probe)

        before = attempts()
        eventually(lambda: attempts() >= before + times, what=f"{times} attempts of {probe}")

    def pids(self, *applications):
        """Backends of our sessions with these names, as an array."""
        return self._scene.value(
            "SELECT coalesce(array_agg(pid), '{}') FROM pg_stat_activity"
            " WHERE application_name = ANY (%s)", list(applications),
        )

    def log(self):
        return logfmt.records(self.exporter.log_lines, "connections were lost")

    def until_told(self, **expected):
        """Waits for the incident's line in the log; it must be the only one and carry these fields."""
        eventually(self.log, what="an incident in the log")
        records = self.log()
        assert len(records) == 1, records
        assert expected.items() <= records[0].items(), records
        return records[0]

    def expect(self, drops_expected, cause, scope):
        """One incident, exactly these drops, and no more once all connections are held again."""
        self.until_told(
            cause=cause, scope=scope, drops=str(int(sum(drops_expected.values()))), held="3"
        )
        self.until_whole()
        self.until_asked("roundtrip", 2)
        families = self.metrics()
        assert drops(families) == drops_expected, self.log()
        assert incidents(families) == {(cause, scope): 1}, self.log()
        assert len(self.log()) == 1


def postmaster(box):
    """The process that all others of a server descend from."""
    return int((box.directory / "data" / "postmaster.pid").read_text().split()[0])


def shut_down(box, signal_number=signal.SIGINT):
    """Ends a server by signal (SIGTERM smart, SIGINT fast, SIGQUIT immediate) and awaits its end."""
    os.kill(postmaster(box), signal_number)
    until_down(box)


def until_down(box):
    eventually(lambda: not (box.directory / "data" / "postmaster.pid").exists(), what="its end")


@contextlib.contextmanager
def stopped(pid):
    """A process that does not run for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
