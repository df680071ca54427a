"""scripts/demo, as a newcomer runs it."""

import glob
import os
import re
import signal
import tempfile

import pytest

from tests.support.exporter import binary
from tests.support.process import REPOSITORY, Process, processes_naming


@pytest.fixture
def demo():
    """demo("--once") starts it, with a temporary directory of its own; afterwards nothing may be left of it."""
    # Unix sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="demo", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        started = []

        def start(*arguments):
            started.append(Process([os.path.join(REPOSITORY, "scripts/demo"), *arguments],
                                   env={**os.environ, "TMPDIR": directory, "PGCONN_EXPORTER": binary()}))
            return started[0]

        yield start
        if started[0].returncode is None:
            started[0].terminate(timeout=60)  # not at once by SIGKILL: it has servers to end
        assert processes_naming(directory) == []
        assert glob.glob(f"{directory}/*") == []


def test_the_demo_shows_every_kind_of_session_and_leaves_nothing_behind(demo):
    process = demo("--once")
    assert process.wait(timeout=400) == 0, process.log_tail(200)
    output = "\n".join(process.log_lines)
    for words in ("oldest idle transaction", "batch", "tls", "plain", "unix", "findings"):
        assert words in output


def test_the_drill_shows_how_long_each_alert_takes_to_fire_and_to_resolve(demo):
    process = demo("--drill")
    assert process.wait(timeout=600) == 0, process.log_tail(200)
    times = r" +(critical|warning) +\d+\.\d s +\d+\.\d s$"
    for alert in ("PgConnIdleInTransactionNearTimeout", "PgConnAllDropped", "PgConnCertificateExpiry"):
        assert [line for line in process.log_lines if re.search(rf" {alert}{times}", line)], process.log_tail(200)
    assert any("watchdog" in line and "was heard" in line for line in process.log_lines)


def test_the_demo_runs_until_ctrl_c_and_says_where(demo):
    process = demo()
    process.wait_log("Ctrl-C ends it all", timeout=400)
    for name in ("exporter ", "Prometheus ", "Alertmanager ", "PostgreSQL ", "Grafana "):
        process.wait_log(name)
    process.signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0, process.log_tail()


def test_the_demo_ends_what_it_started_when_interrupted_at_its_start(demo):
    process = demo("--once")
    process.wait_log("== pgconn_exporter", timeout=400)
    process.signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130, process.log_tail()
