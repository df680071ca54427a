"""Held connections are lost for real: each loss counted once, with its cause."""

import contextlib
import signal
import time

import pytest

from tests.faults.held import (
    CANARY, ROUNDTRIP, Held, drops, failures, incidents, postmaster, shut_down, stopped,
)
from tests.support import logfmt
from tests.support.process import eventually

ALL = (ROUNDTRIP, CANARY)


def back_up(scene):
    scene.box.start()
    scene.connect_admin()


@contextlib.contextmanager
def crash(scene):
    """Waits, after a crash of the server, until it is back: 18 ignores a shutdown before that."""
    backs = scene.box.log_count("ready to accept connections")
    yield
    eventually(lambda: scene.box.log_count("ready to accept connections") == backs + 1)
    scene.connect_admin()


@pytest.mark.parametrize("application", ALL)
def test_one_terminated_connection_is_one_drop_by_the_administrator(scene, hold, application):
    held = hold()
    victim = held.pids(application)[0]
    assert scene.value("SELECT pg_terminate_backend(%s)", victim)
    probe = application.rpartition("/")[2]
    record = held.until_told(probe=probe, reason="terminated", sqlstate="57P01", phase="idle")
    assert "terminating connection due to administrator command" in record["error"]
    held.expect({(probe, "admin_terminate", "57P01"): 1}, "admin_terminate", "one")


def test_all_connections_terminated_at_once_are_one_incident(scene, hold):
    held = hold()
    scene.sql("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", held.pids(*ALL))
    held.until_told(reason="terminated", sqlstate="57P01")
    held.expect({
        ("roundtrip", "admin_terminate", "57P01"): 1, ("idle", "admin_terminate", "57P01"): 2,
    }, "admin_terminate", "all")


@pytest.mark.parametrize("mode", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_shutdown_is_reported_while_the_server_is_down(scene, hold, mode):
    held = hold()
    shut_down(scene.box, mode)
    try:
        # PostgreSQL 13 says 57P02 to all when it stops immediately.
        is_old = mode == signal.SIGQUIT and scene.box.version == 13
        sqlstate = "57P02" if is_old else "57P01"
        held.until_told(cause="server_shutdown", reason="terminated", sqlstate=sqlstate)
        refused = ("tcp", "refused", "")
        eventually(lambda: refused in failures(held.metrics()), what="a refused connect")
    finally:
        back_up(scene)
    held.expect({
        ("roundtrip", "server_shutdown", sqlstate): 1, ("idle", "server_shutdown", sqlstate): 2,
    }, "server_shutdown", "all")


def test_a_restart_is_a_shutdown(scene, hold):
    held = hold()
    shut_down(scene.box)
    back_up(scene)
    held.until_told(reason="terminated", sqlstate="57P01")
    held.expect({
        ("roundtrip", "server_shutdown", "57P01"): 1, ("idle", "server_shutdown", "57P01"): 2,
    }, "server_shutdown", "all")


def test_a_restart_moments_after_a_termination_is_a_shutdown_of_its_own(scene, hold):
    held = hold()
    scene.sql("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", held.pids(*ALL))
    held.until_told(cause="admin_terminate", scope="all", drops="3")
    held.until_whole()  # within a second or two
    shut_down(scene.box)
    back_up(scene)
    eventually(lambda: len(held.log()) == 2, what="the second incident")
    assert held.log()[1].items() >= {"cause": "server_shutdown", "scope": "all", "drops": "3"}.items()
    families = held.metrics()
    assert drops(families) == {
        (probe, cause, "57P01"): count
        for probe, count in held.WHOLE.items() for cause in ("admin_terminate", "server_shutdown")
    }
    assert incidents(families) == {("admin_terminate", "all"): 1, ("server_shutdown", "all"): 1}


@pytest.mark.newest_only
def test_a_server_that_ends_every_session_at_once_is_not_tried_again_and_again(scene, hold):
    if scene.box.version < 14:
        pytest.skip("idle_session_timeout is new in PostgreSQL 14")
    scene.role("monitor", "pg_monitor")
    scene.sql("ALTER ROLE monitor SET idle_session_timeout = '1ms'")
    exporter = scene.watch("monitor", probes={
        "connect": False, "idle": False, "roundtrip": {"interval": "2s", "timeout": "1900ms"}})

    def attempts():
        return exporter.metrics().value("pgconn_probe_attempts_total", probe="roundtrip")

    eventually(lambda: drops(exporter.metrics()), what="a loss")
    before, begin = attempts(), time.monotonic()
    eventually(lambda: attempts() >= before + 2, what="two attempts")
    # At least an eighth and a quarter of a second where the session ends before it answers, else seconds.
    assert time.monotonic() - begin > 0.3


def test_the_death_of_a_stranger_s_backend_is_a_crash_for_all(scene, hold):
    held = hold()
    stranger = scene.session(application="stranger")
    with crash(scene):
        scene.box.kill_backend(stranger.pid)
    held.until_told(reason="terminated", sqlstate="57P02")
    held.expect({
        ("roundtrip", "crash", "57P02"): 1, ("idle", "crash", "57P02"): 2,
    }, "crash", "all")


@pytest.mark.parametrize("victim, expected", [
    (ROUNDTRIP, {("roundtrip", "crash", ""): 1, ("idle", "crash", "57P02"): 2}),
    (CANARY, {
        ("roundtrip", "crash", "57P02"): 1, ("idle", "crash", ""): 1, ("idle", "crash", "57P02"): 1,
    }),
], ids=["roundtrip", "canary"])
def test_the_death_of_our_own_backend_is_a_crash_that_only_the_others_are_told_about(
    scene, hold, victim, expected
):
    held = hold()
    pid = held.pids(victim)[0]
    with crash(scene):
        scene.box.kill_backend(pid)
    held.until_told(cause="crash", scope="all", held="3")
    held.until_whole()
    families = held.metrics()
    seen = drops(families)
    # A probe that connects again before the postmaster has noticed the death is reset with the others: one
    # more drop, and a true one.
    again = (victim.removeprefix("pgconn_exporter/"), "crash", "57P02")
    assert seen.get(again, 0) >= expected.get(again, 0), held.log()
    assert {**seen, again: 0} == {**expected, again: 0}, held.log()
    assert incidents(families) == {("crash", "all"): 1}, held.log()


def test_an_idle_session_timeout_ends_canaries_and_spares_busy_connections(scene, hold):
    if scene.box.version < 14:
        pytest.skip("idle_session_timeout is new in PostgreSQL 14")
    scene.role("monitor", "pg_monitor")
    ended = scene.box.log_count("terminating connection due to idle-session timeout")
    scene.sql("ALTER ROLE monitor SET idle_session_timeout = '1900ms'")
    held = hold("monitor", roundtrip={"interval": "1s", "timeout": "900ms"})
    eventually(lambda: drops(held.metrics()).get(("idle", "idle_session_timeout", "57P05"), 0) >= 2)
    # Sessions that log in from now on may stay; that shows when the last one was lost.
    scene.sql("ALTER ROLE monitor RESET idle_session_timeout")
    eventually(lambda: held.metrics().sum("pgconn_idle_canary_results_total", result="survived") >= 2)
    families = held.metrics()
    ended = scene.box.log_count("terminating connection due to idle-session timeout") - ended
    assert drops(families) == {("idle", "idle_session_timeout", "57P05"): ended}
    assert failures(families, "roundtrip") == {}
    assert families.sum("pgconn_idle_canary_results_total", result="dropped") == 0
    # One incident if each is lost within three seconds of the last; how many were lost when it was reported
    # is a matter of moments.
    record, *_ = eventually(held.log, what="an incident in the log")
    assert record.items() >= {"cause": "idle_session_timeout", "probe": "idle", "phase": "idle",
                              "reason": "terminated", "sqlstate": "57P05"}.items()
    assert incidents(families).keys() <= {("idle_session_timeout", scope) for scope in ("one", "idle_only")}


@pytest.mark.newest_only
def test_an_incident_that_goes_on_after_its_line_is_reported_with_all_its_drops_at_the_end(scene):
    if scene.box.version < 14:
        pytest.skip("idle_session_timeout is new in PostgreSQL 14")
    scene.role("monitor", "pg_monitor")
    scene.sql("ALTER ROLE monitor SET idle_session_timeout = '300ms'")
    held = Held(scene, "monitor", roundtrip={"interval": "1s", "timeout": "900ms"})
    begun, *_ = eventually(held.log, what="its line")
    eventually(lambda: sum(drops(held.metrics()).values()) >= int(begun["drops"]) + 2, what="more drops")
    # Sessions that log in from now on may stay.
    scene.sql("ALTER ROLE monitor RESET idle_session_timeout")
    held.until_whole()
    [record] = eventually(
        lambda: logfmt.records(held.exporter.log_lines, "connections went on being lost"), what="its end")
    assert record["incident"] == begun["incident"]
    assert record["cause"] == begun["cause"] == "idle_session_timeout"
    assert int(record["drops"]) == sum(drops(held.metrics()).values())
    assert len(held.log()) == 1


@pytest.mark.newest_only
def test_a_frozen_postmaster_keeps_newcomers_out_and_loses_nobody(scene, hold):
    held = hold()
    with stopped(postmaster(scene.box)):
        # TLS begins with the postmaster's answer, which does not come.
        frozen = ("tls", "timeout", "")
        eventually(lambda: failures(held.metrics()).get(frozen, 0) >= 3)
        held.until_asked("roundtrip", 2)
        families = held.metrics()
    assert families.value("pgconn_probe_success", probe="connect") == 0
    assert families.value("pgconn_probe_success", probe="roundtrip") == 1
    assert failures(families).keys() == {frozen}
    assert drops(families) == {} and incidents(families) == {} and held.log() == []
    eventually(lambda: held.metrics().value("pgconn_probe_success", probe="connect") == 1)
    assert drops(held.metrics()) == {}


def test_a_frozen_backend_is_one_silent_drop_that_is_not_blamed_on_anybody(scene, hold):
    held = hold()
    with stopped(held.pids(ROUNDTRIP)[0]):
        # The canaries answer when they are asked then: it was neither the network (all would have fallen)
        # nor a forgetful path (a lively connection is not forgotten).
        record = held.until_told(cause="unknown", probe="roundtrip", phase="query", reason="timeout")
        assert "others answer" in record["because"] and "sqlstate" not in record, record
        held.expect({("roundtrip", "unknown", ""): 1}, "unknown", "one")
    # It is dated when it was lost; finding the cause takes 0.4 s at least, and then it is reported.
    assert logfmt.unix_time(record) - held.metrics().value("pgconn_last_drop_timestamp_seconds", cause="unknown") > 0.38


def test_a_frozen_backend_of_a_canary_says_nothing_about_the_path(scene, hold):
    held = hold(idle={"ladder": ["2s"], "canaries": 2, "timeout": "1s"})
    began = time.monotonic()
    with stopped(held.pids(CANARY)[0]):
        held.until_told(cause="unknown", scope="one", probe="idle", phase="query", reason="timeout", drops="1")
        took = time.monotonic() - began
    print(f"frozen canary: told {took:.2f} s after the fault")
    assert took < 3 + 4  # its idle time, its timeout and the others' answers; the rest is for a busy machine
    families = held.metrics()
    assert drops(families) == {("idle", "unknown", ""): 1}
    assert families.value("pgconn_idle_canary_results_total", rung="2", result="dropped") == 0
    assert families.samples("pgconn_idle_dropped_seconds") == []
    assert families.samples("pgconn_path_idle_limit_seconds") == []


def test_canaries_are_queried_when_another_is_lost_without_a_message_and_go_on(scene, hold):
    held = hold(idle={"ladder": ["1h"], "canaries": 2, "timeout": "1s"})
    canaries = held.pids(CANARY)
    with stopped(held.pids(ROUNDTRIP)[0]):
        held.until_told(probe="roundtrip", reason="timeout", scope="one", drops="1")
        families = held.metrics()
    assert 0 < families.value("pgconn_idle_survived_seconds") < 3600
    assert families.value("pgconn_idle_canary_results_total", rung="3600", result="survived") == 0
    assert held.pids(CANARY) == canaries


def test_nothing_is_lost_on_a_healthy_server(hold):
    held = hold()
    held.until_asked("connect", 5)
    families = held.metrics()
    assert drops(families) == {} and incidents(families) == {} and held.log() == []
    assert families.sum("pgconn_probe_failures_total") == 0


@pytest.mark.newest_only
def test_connections_that_the_exporter_ends_itself_are_no_drops(scene, hold):
    held = hold()
    held.exporter.stop()
    scene.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name ~ '^pgconn_exporter'")
    assert held.log() == []
