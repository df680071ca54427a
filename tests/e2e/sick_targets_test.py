"""Targets that refuse, freeze or swallow everything, beside a healthy one that must not be affected."""

import contextlib
import os
import signal
import threading
import time

from tests.support.peers import Peer, Relay, black_hole, refusing
from tests.support.process import eventually

TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"


def processes_of(box):
    """The server's postmaster and the exporter's backends."""
    postmaster = int((box.directory / "data" / "postmaster.pid").read_text().split()[0])
    backends = box.psql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pgconn_exporter/%'")
    return [postmaster] + [pid for pid, in backends]


@contextlib.contextmanager
def frozen(pids):
    """These processes do not run, but their sockets stay open."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def scrape(exporter, timeout):
    """Scrapes as a Prometheus with this timeout does; it must be answered in time."""
    started = time.monotonic()
    families = exporter.metrics(headers={TIMEOUT_HEADER: str(timeout)})
    # This process and the machine are allowed a moment.
    assert time.monotonic() - started < timeout + 0.5, "Prometheus would have given up"
    return families


def up(families):
    return {sample.labels["target"]: sample.value for sample in families.samples("pgconn_up")}


def reasons(families, target):
    samples = families.samples("pgconn_scrape_errors_total", target=target)
    return {sample.labels["reason"] for sample in samples if sample.value}


def expect_healthy(families, target="healthy"):
    assert families.value("pgconn_up", target=target) == 1
    collectors = families.samples("pgconn_collector_success", target=target)
    assert len(collectors) > 3 and all(sample.value == 1 for sample in collectors)
    assert families.samples("pgconn_connection_slots_used", target=target)


def test_a_fifo_for_a_certificate_fails_its_target_and_delays_no_other(newest, run_exporter, tmp_path):
    fifo = tmp_path / "root.crt"
    os.mkfifo(fifo)
    dsns = {"healthy": newest.dsn(), "fifo": f"host=127.0.0.1 port=1 user=x sslrootcert={fifo}"}
    exporter = run_exporter({"targets": [{"name": name, "dsn": dsn} for name, dsn in dsns.items()]})
    families = scrape(exporter, timeout=4)
    assert up(families) == {"healthy": 1, "fifo": 0}
    expect_healthy(families)
    assert reasons(families, "fifo") == {"config"}
    assert f"sslrootcert is {fifo}" in exporter.process.wait_log("target=fifo ")


def test_sick_targets_cost_a_healthy_one_nothing_and_each_says_why(newest, new_box, odd_lookup, run_exporter):
    sleeper = new_box()
    with refusing() as refused_port, black_hole() as deaf_port, Peer() as silent:
        dsns = {
            "healthy": newest.dsn(),
            "frozen": sleeper.dsn(),
            "refusing": f"host=127.0.0.1 port={refused_port} user=x",
            "deaf": f"host=127.0.0.1 port={deaf_port} user=x",
            "silent": f"host=127.0.0.1 port={silent.port} user=x",
            "nameless": "host=database.hang user=x",
        }
        exporter = run_exporter(
            {"targets": [{"name": name, "dsn": dsn} for name, dsn in dsns.items()]}, env=odd_lookup)
        with frozen(processes_of(sleeper)):
            families = scrape(exporter, timeout=4)
            assert up(families) == {name: name == "healthy" for name in dsns}
            expect_healthy(families)
            assert reasons(families, "refusing") == {"refused"}
            for name in ("frozen", "deaf", "silent", "nameless"):
                assert reasons(families, name) == {"timeout"}, name
            phases = {"frozen": "tls", "deaf": "tcp", "silent": "tls", "nameless": "resolve", "refusing": "tcp"}
            for name, phase in phases.items():
                assert f" phase={phase} " in exporter.process.wait_log(f"target={name} ")
            # Every collector that is on reports, connected or not.
            for name in phases:
                found = families.samples("pgconn_collector_success", target=name)
                assert len(found) == len(families.samples("pgconn_collector_success", target="healthy"))
                assert {sample.value for sample in found} == {0}


def test_twenty_scrapes_of_a_frozen_server_pile_up_no_connections_and_it_recovers(
        newest, new_box, run_exporter, sessions_of_exporters):
    sleeper = new_box()
    exporter = run_exporter({"targets": [
        {"name": "healthy", "dsn": newest.dsn()}, {"name": "sleeper", "dsn": sleeper.dsn()},
    ]})
    assert up(scrape(exporter, timeout=10)) == {"healthy": 1, "sleeper": 1}
    with frozen(processes_of(sleeper)):
        open_files = []
        for _ in range(20):
            families = scrape(exporter, timeout=2)
            assert up(families) == {"healthy": 1, "sleeper": 0}
            assert families.value("pgconn_exporter_connections", target="sleeper", purpose="collect") == 0
            open_files.append(families.value("process_open_fds"))
        # The last scrape's connection may still be closing.
        assert max(open_files[1:]) <= open_files[1] + 2
    recovered = eventually(lambda: up(scrape(exporter, timeout=10))["sleeper"], what="the recovery")
    assert recovered == 1
    eventually(lambda: sessions_of_exporters(sleeper) == 1, what="the end of the given-up sessions")


def test_a_frozen_backend_is_given_up_and_the_next_scrape_has_a_new_session(
        new_box, run_exporter, sessions_of_exporters):
    box = new_box()
    exporter = run_exporter({"targets": [{"name": "one", "dsn": box.dsn()}]})
    assert up(scrape(exporter, timeout=10)) == {"one": 1}
    backends = processes_of(box)[1:]
    with frozen(backends):
        families = scrape(exporter, timeout=2)
        assert up(families) == {"one": 0} and reasons(families, "one") == {"timeout"}
        for _ in range(5):
            assert up(scrape(exporter, timeout=10)) == {"one": 1}
        assert sessions_of_exporters(box) == len(backends) + 1
    eventually(lambda: sessions_of_exporters(box) == 1, what="the end of the given-up session")


def in_background(function, *arguments, **keywords):
    """Runs it in a thread; wait() gives its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments, **keywords)), daemon=True)
    thread.start()

    def wait():
        thread.join()
        return results[0]

    return wait


def test_a_scrape_with_time_is_not_answered_with_what_a_hasty_one_got(new_box, run_exporter):
    box = new_box()
    with Relay(box.port) as way:
        dsn = box.dsn(port=way.port)
        exporter = run_exporter({"targets": [{"name": "one", "dsn": dsn}]})
        with frozen(processes_of(box)):
            hasty = in_background(scrape, exporter, timeout=2)
            eventually(lambda: way.accepted, what="the hasty scrape under way")
            patient = in_background(scrape, exporter, timeout=20)
            assert up(hasty()) == {"one": 0}
        assert up(patient()) == {"one": 1}


def test_scrapes_of_other_collectors_wait_for_the_one_that_is_stuck_and_each_ends_in_time(run_exporter):
    with Peer() as silent:
        exporter = run_exporter({"targets": [{"name": "one", "dsn": f"host=127.0.0.1 port={silent.port} user=x"}]})
        stuck = in_background(scrape, exporter, timeout=4)
        eventually(lambda: silent.accepted, what="the first scrape under way")
        others = [in_background(exporter.metrics, f"collect[]={name}", {TIMEOUT_HEADER: "2"})
                  for name in ("server", "limits")]
        for name, other in zip(("server", "limits"), others):
            families = other()
            assert up(families) == {"one": 0}
            assert {s.labels["collector"] for s in families.samples("pgconn_collector_success")} == {name}
        assert silent.accepted == 1, "they did not connect beside it"
        assert up(stuck()) == {"one": 0}


def test_a_scrape_that_joins_with_less_time_gets_what_has_arrived(newest, run_exporter):
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}],
                             "global": {"lock_timeout": "30s", "statement_timeout": "30s"}})
    expect_healthy(scrape(exporter, timeout=10), "one")
    with contextlib.closing(newest.connect()) as watcher, contextlib.closing(newest.connect()) as locker:
        seen = watcher.cursor()  # nobody can log in any more once the lock is there
        locker.autocommit = False
        locker.cursor().execute("LOCK pg_catalog.pg_db_role_setting IN ACCESS EXCLUSIVE MODE")
        patient = in_background(scrape, exporter, timeout=8)

        def is_held():
            seen.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                         " AND application_name = 'pgconn_exporter/collect'")
            return seen.fetchone()

        eventually(is_held, what="the scrape that waits for the lock")
        families = scrape(exporter, timeout=3)
        assert up(families) == {"one": 1}
        for collector, success in (("server", 1), ("sessions", 1), ("limits", 0)):
            assert families.value("pgconn_collector_success", target="one", collector=collector) == success
        assert families.samples("pgconn_sessions")
        others = exporter.metrics("collect[]=server", {TIMEOUT_HEADER: "2"})
        assert up(others) == {"one": 1}
        assert others.value("pgconn_collector_success", target="one", collector="server") == 0
    expect_healthy(patient(), "one")


def test_each_target_has_its_own_limit_of_a_scrape(run_exporter):
    with Peer() as silent:
        dsn = f"host=127.0.0.1 port={silent.port} user=x"
        exporter = run_exporter({"global": {"scrape_timeout": "2s"}, "targets": [
            {"name": "quick", "dsn": dsn, "scrape_timeout": "1s"}, {"name": "usual", "dsn": dsn},
            {"name": "far", "dsn": dsn, "scrape_timeout": "4s"}]})

        def seconds(query):
            started = time.monotonic()
            exporter.metrics(query, {TIMEOUT_HEADER: "60"})
            return time.monotonic() - started

        for query, limit in (("target=quick", 1), ("target=usual", 2), ("target=far", 4), ("", 4)):
            assert limit - 0.1 < seconds(query) < limit + 0.9, query


def test_a_locked_catalog_costs_only_what_is_read_from_it(newest, run_exporter):
    locker = newest.connect()
    locker.autocommit = False
    exporter = run_exporter({
        "targets": [{"name": "one", "dsn": newest.dsn()}], "global": {"lock_timeout": "300ms"}})
    expect_healthy(scrape(exporter, timeout=10), "one")
    with contextlib.closing(locker):
        locker.cursor().execute("LOCK pg_catalog.pg_db_role_setting IN ACCESS EXCLUSIVE MODE")
        families = scrape(exporter, timeout=4)
    assert families.value("pgconn_up", target="one") == 1
    assert "lock_timeout" in reasons(families, "one")
    for collector, success in (("server", 1), ("session_ends", 1), ("settings", 0)):
        assert families.value("pgconn_collector_success", target="one", collector=collector) == success


def test_a_hanging_lookup_does_not_hold_up_the_exit(odd_lookup, run_exporter):
    exporter = run_exporter({"targets": [{"name": "nameless", "dsn": "host=database.hang user=x"}]}, env=odd_lookup)
    assert up(scrape(exporter, timeout=1)) == {"nameless": 0}
    exporter.process.signal(signal.SIGTERM)
    assert exporter.wait(timeout=10) == 0
