"""The reader of server logs against real logs: every fault has its event, in every format, and the counts are exact."""

import random
import shutil
import socket
import struct
from collections import Counter

import psycopg2
import pytest

from tests.faults.log_reading import LogReader, in_text
from tests.faults.server_log_scenes import HBA, SETTINGS, SETUP, Faults
from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, eventually

# What every session and every start says: counted by its text, as how often is not the test's doing.
BY_TEXT = {
    "connection_received": r"LOG:  connection received: ",
    "connection_authenticated": r"LOG:  connection authenticated: ",
    "connection_authorized": r"LOG:  connection authorized: ",
    "replication_authorized": r"LOG:  replication connection authorized: ",
    "connection_ready": r"LOG:  connection ready: ",
    "disconnection": r"LOG:  disconnection: ",
    "server_starting": r"LOG:  starting PostgreSQL ",
    "server_ready": r"LOG:  database system is ready to accept ",
    "configuration_reload": r"LOG:  received SIGHUP",
    "lock_wait": r"LOG:  process \d+ still waiting for ",
    "lock_wait_ended": r"LOG:  process \d+ acquired ",
}
PREFIXES = {
    "sqlstate": "%m [%p] %e %q%u@%d ",
    "pgbadger": "%t [%p]: [%l-1] %e user=%u,db=%d,app=%a,client=%h ",
    "everything": "%n|%c|%-12u|%8d|%b|%v|%x|%s|%r|%i|%a|%e: ",
    "default": "%m [%p] ",
}


@pytest.fixture(scope="module", params=known_versions(), ids=lambda version: f"pg{version}")
def logging_server(request):
    """A server of each version, with roles, databases and pg_hba.conf for what is to be provoked."""
    with PgBox(request.param) as server:
        try:
            server.start(**SETTINGS)
        except Unavailable as reason:
            pytest.skip(f"PostgreSQL {request.param} cannot be had: {reason}")
        for statement in SETUP:
            server.psql(statement)
        server.hba_alone(*HBA)
        yield server


def formats_of(version):
    return {"log": "stderr", "csv": "csvlog"} | ({"json": "jsonlog"} if version >= 15 else {})


def prefix_of(name, version):
    more = ("%P|%Q|" if version >= 14 else "") + ("%L|" if version >= 18 else "")
    return more + PREFIXES[name] if name == "everything" else PREFIXES[name]


def logs_into(server, folder, prefix, **settings):
    """Stops the server and starts it with its log in a folder of its own."""
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
    stages = {"log_connections": "receipt,authentication,authorization,setup_durations"} if server.version >= 18 else {}
    server.start(
        logging_collector="on", log_destination=",".join(formats_of(server.version).values()),
        log_directory=folder, log_filename="server.log", log_line_prefix=prefix, **stages, **settings,
    )


@pytest.mark.parametrize("prefix_name", PREFIXES)
def test_every_fault_has_its_event_in_every_format_and_counts_are_exact(logging_server, prefix_name):
    server = logging_server
    folder = server.directory / f"logs-{prefix_name}"
    prefix = prefix_of(prefix_name, server.version)
    readers = {ending: LogReader(folder / f"*.{ending}", prefix) for ending in formats_of(server.version)}
    for reader in readers.values():
        reader.poll()  # what comes from now on is news
    logs_into(server, folder, prefix)
    faults = Faults(server, folder / "server.log").all()
    for ending, reader in readers.items():
        with reader:
            reader.read_all()
            expected = Counter(faults.events)
            if server.version == 13 and prefix_name == "default" and ending == "log":
                # Background processes say the same, and this prefix does not tell who speaks.
                expected["crash_bystander"] = in_text(folder / "server.log", "WARNING:  terminating connection because of")
            assert reader.counts(but=BY_TEXT) == expected, ending
            assert reader.refusals() == faults.refusals, ending
            by_text = {event: in_text(folder / "server.log", text) for event, text in BY_TEXT.items()}
            assert {event: reader.counts()[event] for event in BY_TEXT} == by_text, ending
            assert by_text["lock_wait"] >= 1
            families = reader.metrics()
            assert families.sum("pgconn_log_parse_errors_total") == 0, ending
            assert families.sum("pgconn_log_events_total") == len(reader.events)
            assert families.value("pgconn_log_lag_bytes") == 0
            who(reader, faults)
    server.start()


def who(reader, faults):
    """Each event names the process it happened to, and who did it where the log says so."""
    for event in ("admin_terminate", "backend_crash", "statement_timeout", "query_cancel", "lock_timeout"):
        assert [told["subject"] for told in reader.of(event)] == faults.victims[event]
    told = reader.of("lock_wait")[0]
    assert [told["subject"]] == faults.victims["lock_wait"]
    assert [told["actor"]] == faults.victims["actor of lock_wait"]
    assert reader.of("backend_crash")[0]["signal"] == 9
    assert all(told["session"] >= 0 for told in reader.of("disconnection"))
    if faults.box.version >= 18:
        assert 0 < reader.of("connection_ready")[0]["login"] < 10


@pytest.fixture
def one_server(new_box):
    """A server of the newest version whose log is followed in one format."""

    def start(destination, ending):
        server = new_box(max_connections=20)
        folder = server.directory / "logs"
        logs_into(server, folder, "%m [%p] %e %q%u@%d ")
        server.stop()
        shutil.rmtree(folder)
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        server.start(log_destination=destination)
        return server, folder / f"server.{ending}"

    return start


CANCELED = {
    "canceling statement due to statement timeout": "statement_timeout",
    "canceling statement due to user request": "query_cancel",
}
# Takes longer to parse than a timeout of 1 ms: what a busy machine does now and then happens in every run.
SLOWLY_PARSED = f"SELECT pg_sleep(10) /*{'x' * 900_000}*/"


def time_out(session, statements):
    """Runs into the timeout with each, as fast as it goes. Returns the events that the log has to tell of.

    The client's error says which. A timeout that strikes while its statement is still being parsed, as happens on a
    busy machine, is reported by PostgreSQL as a user's request: it starts the timer again before executing the statement,
    and thereby forgets that it has fired.
    """
    events = Counter()
    for statement in statements:
        try:
            session.run(statement)
        except psycopg2.errors.QueryCanceled as error:
            events[CANCELED[error.diag.message_primary]] += 1
            continue
        raise AssertionError("was not canceled")
    return events


def cancels_counted(families):
    """As time_out() tells them."""
    name = "pgconn_log_events_total"
    return Counter({event: families.sum(name, event=event, sqlstate="57014") for event in CANCELED.values()})


@pytest.mark.parametrize(("destination", "ending"), [("stderr", "log"), ("csvlog", "csv"), ("jsonlog", "json")])
def test_rotation_truncation_and_kills_of_the_reader_lose_and_double_nothing(one_server, destination, ending, tmp_path):
    server, log = one_server(destination, ending)
    # Files of other formats get a line or two that say so.
    pattern, prefix, state = log.with_name(f"server*.{ending}"), "%m [%p] %e %q%u@%d ", tmp_path / "state"
    chance = random.Random(5)
    faults = Faults(server, log)
    session = faults.session("SET statement_timeout = '1ms'")
    made = Counter()
    reader = LogReader(pattern, prefix, state).poll()
    reader.metrics()
    for turn in range(24):
        slow = [SLOWLY_PARSED] if turn % 8 == 0 else []
        made += time_out(session, slow + chance.randrange(1, 20) * ["SELECT pg_sleep(10)"])
        if turn % 4 == 1:  # renamed, and a new one begun, as logrotate does
            before = log.stat().st_ino
            log.rename(log.with_name(f"server-{turn}.{ending}"))
            server.psql("SELECT pg_rotate_logfile()")
            eventually(lambda: log.exists() and log.stat().st_ino != before)
        elif turn % 4 == 3:  # copied and truncated
            # What is written between the two is lost to everybody: the collector has to be done before.
            server.psql(f"DO $$BEGIN RAISE LOG 'turn {turn}'; END$$")
            faults.said(f"turn {turn}")
            shutil.copyfile(log, log.with_name(f"server-{turn}.{ending}"))
            with log.open("r+") as file:
                file.truncate()
        reader.poll()
        if chance.random() < 0.5:
            reader.metrics()
        if chance.random() < 0.5:
            reader.kill(amid=chance.choice(["poll", "publish", None]))
            reader = LogReader(pattern, prefix, state)
    families = reader.read_all().metrics()
    assert cancels_counted(families) == made
    assert families.sum("pgconn_log_parse_errors_total") == 0
    reader.kill()
    again = LogReader(pattern, prefix, state)
    assert cancels_counted(again.metrics()) == made
    again.kill()
    session.close()


def test_a_standby_that_ends_sessions_is_a_recovery_conflict(new_box):
    primary = new_box(max_connections=20)
    primary.psql("CREATE TABLE items (id int)")
    primary.psql("CREATE DATABASE doomed")
    standby = new_box(
        standby_of=primary, max_connections=20, max_standby_streaming_delay="0", logging_collector="on",
        log_destination="csvlog", log_filename="server.log", log_file_mode="0644",
    )
    log = standby.directory / "data" / "log" / "server.csv"
    with LogReader(log) as reader:
        reader.poll()
        faults = Faults(standby, log)
        eventually(lambda: standby.psql("SELECT 1 FROM pg_database WHERE datname = 'doomed'"))
        in_doomed = faults.session(dbname="doomed")
        reading = faults.session("BEGIN", "SELECT * FROM items").start("SELECT pg_sleep(30)")
        primary.psql("DROP DATABASE doomed")
        primary.psql("DROP TABLE items")
        faults.fails("recovery_conflict_cancel", reading)
        faults.said("terminating connection due to conflict with recovery")
        faults.expect("recovery_conflict", in_doomed)
        reader.read_all()
        for event in ("recovery_conflict", "recovery_conflict_cancel"):
            assert [told["subject"] for told in reader.of(event)] == faults.victims[event]
        primary.stop("immediate")
        faults.said("could not receive data from WAL stream|could not connect to the primary server")
        assert reader.read_all().of("replication_lost")


def test_an_immediate_shutdown_and_the_recovery_after_it_are_told(one_server):
    server, log = one_server("jsonlog", "json")
    with LogReader(log) as reader:
        reader.poll()
        server.stop("immediate")
        server.start()
        reader.read_all()
        for event in ("immediate_shutdown", "server_shut_down", "server_starting", "crash_recovery", "server_ready"):
            assert len(reader.of(event)) == 1, event


def test_a_login_that_is_never_finished_is_an_authentication_timeout(one_server):
    server, log = one_server("csvlog", "csv")
    server.psql("CREATE ROLE walled LOGIN PASSWORD 'right'")
    server.hba("host all walled 127.0.0.1/32 scram-sha-256")
    server.psql("ALTER SYSTEM SET authentication_timeout = '1s'")
    server.psql("SELECT pg_reload_conf()")
    eventually(lambda: server.psql("SHOW authentication_timeout") == [("1s",)])
    with LogReader(log) as reader:
        reader.poll()
        words = b"user\0walled\0database\0postgres\0\0"
        with socket.create_connection(("127.0.0.1", server.port)) as peer:
            peer.sendall(struct.pack("!ii", 8 + len(words), 196608) + words)
            peer.settimeout(30)
            while peer.recv(4096):  # asked for the password, then told that it is over
                pass
        eventually(lambda: reader.poll().of("authentication_timeout"))
        assert reader.refusals() == {"timeout": 1}


def test_a_log_of_another_prefix_is_told_with_the_one_that_would_fit(one_server):
    server, log = one_server("stderr", "log")
    with LogReader(log, "%t:%r:%u@%d:[%p]:") as reader:
        reader.poll()
        for _ in range(5):
            server.psql("SELECT 1")
        reader.read_all()
        assert reader.events == []
        [problem] = reader.problems
        assert "'%m [%p] %e %q%u@%d ' would fit" in problem
        families = reader.metrics()
        assert families.value("pgconn_log_troubles_total", reason="format") == 1
        assert families.value("pgconn_log_parse_errors_total", reason="unparsed") >= 10
