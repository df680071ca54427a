"""Servers restart, crash, fail over and lose sessions between two scrapes; the next scrape is good."""

import contextlib

import pytest

from tests.support import logfmt
from tests.support.peers import Relay
from tests.support.process import eventually


@pytest.fixture
def watched(new_box, run_exporter):
    """A server for one test and an exporter that has scraped it once."""
    box = new_box()
    exporter = run_exporter({"targets": [{"name": "one", "dsn": box.dsn()}]})
    assert exporter.metrics().value("pgconn_up") == 1
    return box, exporter


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_between_two_scrapes_is_no_outage(mode, watched):
    box, exporter = watched
    box.stop(mode)
    box.start()
    families = exporter.metrics()
    assert families.value("pgconn_up") == 1
    assert families.value("pgconn_server_restarts_total", kind="clean") == 1
    assert families.value("pgconn_server_restarts_total", kind="crash") == 0


def test_a_crash_between_two_scrapes_is_no_outage_but_a_crash(watched):
    box, exporter = watched
    # Within two seconds of the start, the server's own clock cannot tell the two apart.
    eventually(lambda: box.psql("SELECT now() > pg_postmaster_start_time() + interval '3 s'") == [(True,)])
    with contextlib.closing(box.connect()) as victim:
        box.kill_backend(victim.info.backend_pid)
        eventually(lambda: box.log_count("ready to accept connections") == 2)
    families = exporter.metrics()
    assert families.value("pgconn_up") == 1
    assert families.value("pgconn_server_restarts_total", kind="crash") == 1
    assert families.value("pgconn_server_restarts_total", kind="clean") == 0


def test_a_terminated_session_is_replaced_within_the_scrape(watched, sessions_of_exporters):
    box, exporter = watched
    for _ in range(3):
        box.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE application_name LIKE 'pgconn_exporter/%'")
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert families.value("pgconn_exporter_connections", purpose="collect") == 1
    assert families.value("pgconn_scrape_errors_total", reason="terminated", sqlstate="57P01") == 3
    assert families.sum("pgconn_server_restarts_total") == 0
    assert sessions_of_exporters(box) == 1


def test_a_server_that_is_down_for_a_while_is_down_and_then_up(watched):
    box, exporter = watched
    box.stop()
    assert exporter.metrics().value("pgconn_up") == 0
    box.start()
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1)


def test_a_failover_to_a_promoted_standby_is_followed(new_box, run_exporter):
    primary = new_box()
    standby = new_box(standby_of=primary)
    both = "127.0.0.1,127.0.0.1"
    exporter = run_exporter({"targets": [{"name": "one", "dsn": primary.dsn(
        host=both, port=f"{primary.port},{standby.port}", target_session_attrs="read-write", sslrootcert=None,
        sslmode="require")}]})

    def where():
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        [info] = families.samples("pgconn_target_info")
        return int(info.labels["port"]), info.labels["role"]

    assert where() == (primary.port, "primary")
    primary.stop()
    standby.psql("SELECT pg_promote()")
    assert where() == (standby.port, "primary")
    # The standby is younger than the primary was, and yet nothing restarted.
    families = exporter.metrics()
    assert families.sum("pgconn_server_restarts_total") == 0
    assert families.value("pgconn_server_moves_total") == 1
    standby.stop()
    standby.start()
    families = exporter.metrics()
    assert families.value("pgconn_server_restarts_total", kind="clean") == 1
    assert families.value("pgconn_server_moves_total") == 1


def test_an_address_that_moves_to_another_server_is_followed(new_box, run_exporter):
    primary = new_box()
    standby = new_box(standby_of=primary)
    with Relay(standby.port) as address:
        # Each server has a certificate authority of its own.
        dsn = primary.dsn(port=address.port, sslmode="require", sslrootcert=None)
        exporter = run_exporter({"targets": [{"name": "one", "dsn": dsn}]})
        assert exporter.metrics().value("pgconn_server_in_recovery") == 1
        address.destination = primary.port
        address.cut()
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert families.value("pgconn_server_in_recovery") == 0
        address.destination = standby.port  # which is younger
        address.cut()
        families = exporter.metrics()
        assert families.value("pgconn_server_in_recovery") == 1
        # Both have run for longer: nothing restarted.
        assert families.sum("pgconn_server_restarts_total") == 0
        assert families.value("pgconn_server_moves_total") == 2
        assert len(logfmt.records(exporter.log_lines, "another server answers")) == 2


def test_after_a_reload_a_new_session_is_begun_however_far_away_the_server_is(new_box, run_exporter):
    box = new_box()
    with Relay(box.port) as way:
        way.delay = 0.2  # logging in takes well over a second
        exporter = run_exporter({"targets": [{"name": "one", "dsn": box.dsn(port=way.port)}]})

        def logs_connections():
            families = exporter.metrics()
            assert families.value("pgconn_up") == 1
            return families.value("pgconn_setting_value", name="log_connections")

        assert logs_connections() == 1
        box.psql("ALTER SYSTEM SET log_connections = off")
        box.psql("SELECT pg_reload_conf()")
        # Sessions keep the value that they began with.
        eventually(lambda: logs_connections() == 0)
        assert way.accepted == 2


def test_an_address_that_moves_without_notice_costs_one_scrape(new_box, run_exporter):
    primary = new_box()
    standby = new_box(standby_of=primary)
    with Relay(primary.port) as address:
        dsn = primary.dsn(port=address.port, sslmode="require", sslrootcert=None)
        exporter = run_exporter({"targets": [{"name": "one", "dsn": dsn}]})
        assert exporter.metrics().value("pgconn_server_in_recovery") == 0
        address.silence()
        address.destination = standby.port
        hasty = {"X-Prometheus-Scrape-Timeout-Seconds": "2"}
        assert exporter.metrics(headers=hasty).value("pgconn_up") == 0
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert families.value("pgconn_server_in_recovery") == 1
