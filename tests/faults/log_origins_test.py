"""A server's log that is not in the server's own files: a container's, standard input."""

import os
import random
import signal

import pytest

from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import eventually

PREFIX = "%m [%p] %e %q%u@%d "
UNREACHABLE = "host=127.0.0.1 port=1 user=nobody sslmode=disable"  # only its log is of interest

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
def real_log():
    """(log, timeouts) of a real server of the newest version that has run into timeouts."""
    with PgBox(max(known_versions())) as box:
        box.start(logging_collector="on", log_filename="server.log", log_line_prefix=PREFIX)
        for number in range(20):
            with pytest.raises(Exception, match="statement timeout"):
                box.psql(f"SET statement_timeout = '10ms'; SELECT pg_sleep(10) /*{'x' * number * 2000}\n\"quoted\"*/")
        box.stop()
        return (box.directory / "data" / "log" / "server.log").read_text(), 20


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


def test_a_containers_log_counts_as_the_servers_own_over_kills_and_rotation(real_log, tmp_path):
    log_text, made = real_log
    chance = random.Random(3)
    text = "".join(in_container(log_text.splitlines(), chance))
    log = tmp_path / "orders-1_postgres-0.log"
    log.touch()
    config = following(tmp_path / "state", files=[str(log)], container=True, line_prefix=PREFIX)
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
