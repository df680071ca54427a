"""A server's log by SQL alone: the real exporter, with a role that may do no more than is documented."""

import re
import signal
import time

import pytest

from tests.faults.log_reading import in_text
from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, eventually

PREFIX = "%m [%p] %e %q%u@%d "
GRANT = "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO"
TROUBLE = "the server's log cannot be read as it should"
OFF = {name: False for name in ("connect", "roundtrip", "idle", "certificate")}


@pytest.fixture(scope="module", params=known_versions(), ids=lambda version: f"pg{version}")
def server(request):
    """A server of each version that collects its log in files of its own, read by the role `reader`."""
    with PgBox(request.param) as box:
        try:
            box.start(logging_collector="on", log_line_prefix=PREFIX, log_filename="%H%M%S-%s.log")
        except Unavailable as reason:
            pytest.skip(f"PostgreSQL {request.param} cannot be had: {reason}")
        for statement in ("CREATE ROLE reader LOGIN", "GRANT pg_monitor TO reader", f"{GRANT} reader"):
            box.psql(statement)
        yield box


def destined(box, destination):
    box.psql(f"ALTER SYSTEM SET log_destination = '{destination}'")
    box.psql("SELECT pg_reload_conf()")
    eventually(lambda: box.psql("SHOW log_destination") == [(destination,)])
    return box


def watching(box, role="reader", **more):
    log = {"from": "sql", "interval": "1s", **more}
    target = {"name": "watched", "dsn": box.dsn(role), "server_log": log, "max_connections_per_target": 8}
    return Exporter({"targets": [target], "probes": OFF})


def counted(exporter, event="deadlock", **labels):
    return exporter.metrics().sum("pgconn_log_events_total", event=event, **labels)


def until_reading(exporter):
    """Waits until the reader knows its place: what comes from then on is news."""
    eventually(lambda: exporter.metrics().samples("pgconn_log_events_total"), what="the log's counters")
    eventually(lambda: exporter.metrics().value("pgconn_exporter_connections", purpose="server_log") == 1)


def fail(box, count):
    """That many statements run into their timeouts."""
    for _ in range(count):
        with pytest.raises(Exception, match="statement timeout"):
            box.psql("SET statement_timeout = '10ms'; SELECT pg_sleep(10)")


def timeouts(exporter):
    return counted(exporter, "statement_timeout")


def destinations(version):
    return ["stderr", "csvlog"] + (["jsonlog"] if version >= 15 else [])


@pytest.mark.parametrize("destination", ["stderr", "csvlog", "jsonlog"])
def test_the_log_is_read_by_sql_and_rotation_and_kills_lose_and_double_nothing(server, destination, tmp_path):
    if destination not in destinations(server.version):
        pytest.skip("this version has no jsonlog")
    destined(server, destination)
    state = str(tmp_path / "state")
    made = 0
    with watching(server, state_file=state) as exporter:
        until_reading(exporter)
        for turn in range(4):
            fail(server, turn + 1)
            made += turn + 1
            server.psql("SELECT pg_rotate_logfile()")
            fail(server, 2)
            made += 2
            eventually(lambda: timeouts(exporter) >= made - 2, what="the timeouts before the rotation")
        eventually(lambda: timeouts(exporter) == made, what="all timeouts")
        assert exporter.metrics().sum("pgconn_log_parse_errors_total") == 0
        fail(server, 3)
        exporter.process.signal(signal.SIGKILL)
        exporter.wait()
    made += 3
    fail(server, 2)
    server.psql("SELECT pg_rotate_logfile()")
    fail(server, 2)
    made += 4
    with watching(server, state_file=state) as exporter:
        eventually(lambda: timeouts(exporter) == made, what="what happened while the exporter was dead")
        fail(server, 1)
        eventually(lambda: timeouts(exporter) == made + 1)
        assert not logfmt.records(exporter.log_lines, TROUBLE)
        assert exporter.metrics().value("pgconn_log_lag_bytes") == 0


@pytest.mark.parametrize("role", ["bare", "monitor"])
def test_a_role_without_the_right_is_told_the_grant_once_and_asks_nothing_that_fails(server, role):
    destined(server, "stderr")
    server.psql(f"CREATE ROLE {role} LOGIN")
    if role == "monitor":
        server.psql(f"GRANT pg_monitor TO {role}")
    since = sum(in_text(path, "ERROR:") for path in logs(server))
    with watching(server, role) as exporter:
        eventually(lambda: exporter.metrics().value("pgconn_log_troubles_total", reason="denied") == 1)
        [record] = logfmt.records(exporter.log_lines, TROUBLE)
        assert f'{GRANT} "{role}";' in record["error"]
        assert ("pg_ls_logdir() TO" in record["error"]) == (role == "bare")
        # What it is told to run is what it takes.
        for statement in re.findall(r"GRANT [^;]*;", record["error"]):
            server.psql(statement)
        eventually(lambda: reads(exporter, server), timeout=90, what="a log that is read after the grant")
        assert len(logfmt.records(exporter.log_lines, TROUBLE)) == 1
    timeouts_said = sum(in_text(path, "ERROR:  canceling statement due to statement timeout") for path in logs(server))
    errors = sum(in_text(path, "ERROR:") for path in logs(server))
    assert errors - since <= timeouts_said


def reads(exporter, server):
    fail(server, 1)
    return timeouts(exporter) >= 1


def logs(server):
    return sorted((server.directory / "data" / "log").glob("*.log"))


def size(server):
    return sum(path.stat().st_size for path in (server.directory / "data" / "log").iterdir())


def test_with_every_statement_logged_the_exporter_adds_little_and_does_not_feed_on_itself(server):
    destined(server, "stderr")
    server.psql("ALTER ROLE reader SET log_statement = 'all'")
    server.psql("ALTER ROLE reader SET log_duration = 'on'")
    server.psql("ALTER ROLE reader SET log_min_duration_statement = 0")
    try:
        with watching(server) as exporter:
            until_reading(exporter)
            begin, before = time.monotonic(), size(server)
            time.sleep(6)  # a rate needs a time
            seconds, more = time.monotonic() - begin, size(server) - before
        assert 0 < more < 4000 * seconds  # at one round a second
    finally:
        server.psql("ALTER ROLE reader RESET ALL")


def test_a_server_that_restarts_is_read_on(server, tmp_path):
    destined(server, "stderr")
    with watching(server, state_file=str(tmp_path / "state")) as exporter:
        until_reading(exporter)
        server.stop()
        server.start()
        fail(server, 2)
        eventually(lambda: timeouts(exporter) == 2, what="timeouts after the restart")
        assert counted(exporter, "fast_shutdown") == 1
        assert counted(exporter, "server_ready") == 1


def test_a_server_without_a_collector_is_told_what_to_set(new_box):
    box = new_box()
    with watching(box, "postgres") as exporter:
        eventually(lambda: exporter.metrics().value("pgconn_log_troubles_total", reason="missing") == 1)
        [record] = logfmt.records(exporter.log_lines, TROUBLE)
        assert "logging_collector = on" in record["error"]
