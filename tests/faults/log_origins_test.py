"""A server's log that is not in the server's own files: a container's, the journal's, standard input."""

import csv
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time

import pytest

from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.packages import known_versions, unpacked
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, eventually, running

PREFIX = "%m [%p] %e %q%u@%d "
UNREACHABLE = "host=127.0.0.1 port=1 user=nobody sslmode=disable"  # only its log is of interest
# csvlog's columns as CloudNativePG names them.
COLUMNS = [
    "log_time", "user_name", "database_name", "process_id", "connection_from", "session_id", "session_line_num",
    "command_tag", "session_start_time", "virtual_transaction_id", "transaction_id", "error_severity", "sql_state_code",
    "message", "detail", "hint", "internal_query", "internal_query_pos", "context", "query", "query_pos", "location",
    "application_name", "backend_type", "leader_pid", "query_id",
]


def following(state=None, **log):
    more = {"state_file": str(state)} if state else {}
    return {"targets": [{"name": "watched", "dsn": UNREACHABLE, "server_log": {**log, **more}}]}


def counted(exporter, event="statement_timeout"):
    return exporter.metrics().sum("pgconn_log_events_total", event=event)


def until_counted(exporter, count, event="statement_timeout"):
    eventually(lambda: counted(exporter, event) == count, what=f"{count} of {event}")


def until_looking(exporter):
    eventually(lambda: exporter.metrics().samples("pgconn_log_events_total"), what="the first look at the log")


def faults_of_parsing(exporter):
    return exporter.metrics().sum("pgconn_log_parse_errors_total")


def kill(exporter):
    exporter.process.signal(signal.SIGKILL)
    exporter.wait()


def timeout_entry(number, message="canceling statement due to statement timeout"):
    return (f"2026-11-29 13:36:11.{number % 1000:03} UTC [{100 + number}] 57014 app@orders ERROR:  {message}\n"
            f"2026-11-29 13:36:11.{number % 1000:03} UTC [{100 + number}] 57014 app@orders STATEMENT:  SELECT 1,\n\t2\n")


@pytest.fixture(scope="module")
def real_logs():
    """(stderr, csvlog, timeouts) of a real server of the newest version that has run into timeouts."""
    with PgBox(max(known_versions())) as box:
        box.start(logging_collector="on", log_destination="stderr,csvlog", log_filename="server.log", log_line_prefix=PREFIX)
        for number in range(20):
            with pytest.raises(Exception, match="statement timeout"):
                box.psql(f"SET statement_timeout = '10ms'; SELECT pg_sleep(10) /*{'x' * number * 2000}\n\"quoted\"*/")
        box.stop()
        folder = box.directory / "data" / "log"
        return (folder / "server.log").read_text(), (folder / "server.csv").read_text(), 20


def in_container(lines, chance):
    """As a node keeps lines of a container: some in parts, some of the other stream between."""
    for line in lines:
        parts = [line]
        while chance.random() < 0.4 and len(parts[-1]) > 1:
            at = chance.randrange(1, len(parts[-1]))
            parts[-1:] = [parts[-1][:at], parts[-1][at:]]
        for tag, part in zip(["P"] * (len(parts) - 1) + ["F"], parts, strict=True):
            yield f"2026-11-29T13:36:11.315669794Z stderr {tag} {part}\n"
            if chance.random() < 0.1:
                yield f"2026-11-29T13:36:11.315669795Z stdout F 2026-11-29 13:36:11.315 UTC [1] 00000 LOG:  aside {chance.random()}\n"


def of_cloudnativepg(text):
    """Compact, as that program writes JSON."""
    def line(**fields):
        return json.dumps({"level": "info", "ts": "2026-11-29T13:36:11Z", **fields}, separators=(",", ":"))

    for row in csv.reader(text.splitlines(keepends=True)):
        record = {name: value for name, value in zip(COLUMNS, row, strict=False) if value}
        yield line(logger="postgres", msg="record", record=record, logging_pod="orders-1")
        yield line(logger="instance-manager", msg="ok")


@pytest.mark.parametrize("wrapped", ["stderr", "cloudnativepg"])
def test_a_containers_log_counts_as_the_servers_own_over_kills_and_rotation(real_logs, wrapped, tmp_path):
    stderr, csvlog, made = real_logs
    chance = random.Random(3)
    lines = stderr.splitlines() if wrapped == "stderr" else of_cloudnativepg(csvlog)
    text = "".join(in_container(lines, chance)) if wrapped == "stderr" else "".join(
        f"2026-11-29T13:36:11.315669794Z stdout F {line}\n" for line in lines)
    log = tmp_path / "orders-1_postgres-0.log"
    log.touch()
    config = following(tmp_path / "state", files=[str(log)], container=True, format=wrapped,
                       **({"line_prefix": PREFIX} if wrapped == "stderr" else {}))
    cuts = sorted(chance.randrange(len(text)) for _ in range(3))
    pieces = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for number, piece in enumerate(pieces):
        with Exporter(config) as exporter:
            until_looking(exporter)
            with log.open("a") as file:
                file.write(piece)
            if number < 3:
                eventually(lambda: exporter.metrics().value("pgconn_log_lag_bytes") == 0)
                kill(exporter)
                continue
            until_counted(exporter, made)
            log.rename(tmp_path / "orders-1_postgres-0.log.20261129")
            log.write_text("")
            assert faults_of_parsing(exporter) == 0
            assert counted(exporter, "connection_received") > 0


def test_standard_input_is_read_as_it_comes_and_its_end_is_told(tmp_path):
    config = following(tmp_path / "state", **{"from": "stdin", "line_prefix": PREFIX})
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe, Exporter(config, stdin=reading) as exporter:
        os.close(reading)
        until_looking(exporter)
        for number in range(5000):
            pipe.write(timeout_entry(number))
        pipe.flush()
        until_counted(exporter, 5000)
        pipe.write(timeout_entry(1))
        pipe.flush()
        until_counted(exporter, 5001)
        pipe.close()
        eventually(lambda: exporter.metrics().value("pgconn_log_troubles_total", reason="unreadable") == 1)
        [record] = logfmt.records(exporter.log_lines, "the server's log cannot be read as it should")
        assert "standard input has ended" in record["error"]
        assert faults_of_parsing(exporter) == 0
    # Counters go on.
    with Exporter(config) as exporter:
        until_counted(exporter, 5001)


class Journal:
    """A journal's files, written by systemd-journal-remote, as no systemd runs here."""

    def __init__(self, folder):
        if not shutil.which("journalctl"):
            raise Unavailable("journalctl is missing")
        root = unpacked("native", "systemd-journal-remote")
        places = [root / place / "systemd-journal-remote" for place in ("lib/systemd", "usr/lib/systemd")]
        self._program = next(place for place in places if place.exists())
        # Of the machine's own release: with its own loader, and the libraries that come with it.
        libraries = next(root.glob("usr/lib/*-linux-gnu"))
        self._env = {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{libraries / 'systemd'}"}
        self.folder = folder
        self._records = 0
        folder.mkdir()

    def write(self, *messages, unit="postgresql@17-main.service"):
        text = b""
        for message in messages:
            self._records += 1
            now = int(time.time() * 1e6) + self._records
            content = message.encode() if isinstance(message, str) else message
            text += (f"__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={self._records}\n"
                     f"_BOOT_ID={'ab' * 16}\n_SYSTEMD_UNIT={unit}\nSYSLOG_IDENTIFIER=postgres\n").encode()
            text += b"MESSAGE\n" + struct.pack("<Q", len(content)) + content + b"\n\n"
        subprocess.run([self._program, "-o", self.folder / "remote.journal", "-"], input=text, check=True,
                       capture_output=True, timeout=60, env=self._env)


@pytest.fixture
def journal(tmp_path):
    try:
        return Journal(tmp_path / "journal")
    except Unavailable as reason:
        pytest.skip(str(reason))


def journalctls(folder):
    return [pid for pid, words in running() if "journalctl" in words and str(folder) in words]


def test_the_journal_is_read_once_over_kills_and_its_reader_ends_with_the_exporter(journal, tmp_path):
    journal.write(*timeout_entry(1).splitlines())  # before the first start: not news
    config = following(tmp_path / "state", **{"from": "journal", "directory": str(journal.folder), "line_prefix": PREFIX,
                                              "units": ["postgresql@17-main"]})
    with Exporter(config) as exporter:
        until_looking(exporter)
        eventually(lambda: journalctls(journal.folder), what="a journalctl")
        # It has found the journal's end once it shows what comes after.
        def starts():
            journal.write("2026-11-29 13:36:11.000 UTC [9] 40P01 app@orders ERROR:  deadlock detected")
            return counted(exporter, "deadlock") > 0
        eventually(starts, what="the first entry")
        journal.write(*timeout_entry(2).splitlines())
        journal.write(*timeout_entry(3).splitlines(), unit="other.service")
        journal.write(b"2026-11-29 13:36:11.000 UTC [7] 57014 \xff@d ERROR:  canceling statement due to statement timeout")
        until_counted(exporter, 2)
        kill(exporter)
    eventually(lambda: not journalctls(journal.folder), what="the end of the reader")
    journal.write(*timeout_entry(4).splitlines(), *timeout_entry(5).splitlines())
    with Exporter(config) as exporter:
        until_counted(exporter, 4)
        [pid] = eventually(lambda: journalctls(journal.folder))
        os.kill(pid, signal.SIGKILL)
        journal.write(*timeout_entry(6).splitlines())
        until_counted(exporter, 5)
        assert exporter.metrics().value("pgconn_log_parse_errors_total", reason="encoding") == 1
        assert exporter.metrics().value("pgconn_log_parse_errors_total", reason="unparsed") == 0
    assert not journalctls(journal.folder)


def test_a_journal_that_cannot_be_read_is_told_once(tmp_path):
    config = following(**{"from": "journal", "directory": str(tmp_path / "nowhere")})
    with Exporter(config) as exporter:
        eventually(lambda: exporter.metrics().value("pgconn_log_troubles_total", reason="unreadable") == 1)
        records = logfmt.records(exporter.log_lines, "the server's log cannot be read as it should")
        assert len(records) == 1
        assert "journalctl has ended" in records[0]["error"]
