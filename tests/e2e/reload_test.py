"""SIGHUP reads the configuration again: what changed starts over, the rest is not disturbed."""

import signal
import threading

import pytest

from tests.support import peers
from tests.support.process import eventually

PROBES = {"connect": False, "roundtrip": {"interval": "1s", "timeout": "500ms"}, "idle": {"canaries": 1}}
RELOADED = 'msg="configuration was read again"'
REFUSED = 'msg="configuration was not accepted'


def target(box, name, **more):
    return {"name": name, "dsn": box.dsn(), "probes": PROBES, **more}


def reload(exporter, config, expect):
    """Writes the file, sends SIGHUP, and returns the log line it leads to."""
    before = len(exporter.log_lines)
    exporter.write_config(config)
    exporter.process.signal(signal.SIGHUP)
    return eventually(lambda: next((line for line in exporter.log_lines[before:] if expect in line), None),
                      what=expect)


def sessions(box, purpose):
    return {pid for pid, in box.psql(
        f"SELECT pid FROM pg_stat_activity WHERE application_name = 'pgconn_exporter/{purpose}'")}


@pytest.fixture
def reloaded(newest, run_exporter):
    """An exporter with the targets one, two and three, all probing."""
    exporter = run_exporter({"targets": [target(newest, name) for name in ("one", "two", "three")]})
    eventually(lambda: exporter.metrics().value("pgconn_held_connections", target="three", probe="roundtrip"))
    eventually(lambda: len(sessions(newest, "roundtrip")) == 3 and len(sessions(newest, "idle")) == 3)
    return exporter


def test_unchanged_targets_keep_sessions_and_counters_others_begin_or_end(newest, reloaded):
    eventually(lambda: reloaded.metrics().value("pgconn_probe_attempts_total", target="one", probe="roundtrip") >= 2)
    attempts = reloaded.metrics().value("pgconn_probe_attempts_total", target="one", probe="roundtrip")
    held = sessions(newest, "idle")
    line = reload(reloaded, {"targets": [
        target(newest, "one"), target(newest, "two", labels={"env": "new"}), target(newest, "four"),
    ]}, RELOADED)
    assert "targets_kept=1 targets_begun=2 targets_ended=2" in line
    metrics = reloaded.metrics()
    assert metrics.value("pgconn_probe_attempts_total", target="one", probe="roundtrip") >= attempts
    assert metrics.value("pgconn_up", target="two", env="new") == 1
    assert metrics.value("pgconn_up", target="four") == 1
    assert {sample.labels["target"] for sample in metrics.samples("pgconn_up")} == {"one", "two", "four"}
    assert metrics.value("pgconn_exporter_targets") == 3
    assert metrics.value("pgconn_exporter_config_last_reload_successful") == 1
    assert reloaded.get("/metrics?target=three").status == 400
    eventually(lambda: len(sessions(newest, "idle")) == 3, what="three canaries again")
    assert len(sessions(newest, "idle") & held) == 1, "the canary of the target that stayed"


def test_a_session_closed_by_a_reload_is_no_drop(newest, reloaded):
    reload(reloaded, {"targets": [target(newest, "one")]}, RELOADED)
    eventually(lambda: len(sessions(newest, "roundtrip")) == 1, what="the end of the other sessions")
    assert not [line for line in reloaded.log_lines if "connections were lost" in line]
    assert reloaded.metrics().sum("pgconn_connection_drops_total") == 0


def test_a_target_that_a_reload_restarts_during_a_scrape_is_not_reported_as_down(newest, run_exporter):
    with peers.Peer() as silent:
        def config(**more):
            dsn = f"host=127.0.0.1 port={silent.port} user=x"
            return {"targets": [target(newest, "one"), {"name": "slow", "dsn": dsn, "probes": {}, **more}]}

        exporter = run_exporter(config())
        answers = []
        scrape = threading.Thread(target=lambda: answers.append(exporter.metrics()))
        scrape.start()
        eventually(lambda: silent.accepted, what="the scrape under way")
        reload(exporter, config(labels={"env": "new"}), RELOADED)
        scrape.join()
        assert {sample.labels["target"]: sample.value for sample in answers[0].samples("pgconn_up")} == {"one": 1}


def test_a_file_that_is_not_valid_changes_nothing_and_is_reported(newest, reloaded):
    before = sessions(newest, "roundtrip")
    stamp = reloaded.metrics().value("pgconn_exporter_config_last_reload_success_timestamp_seconds")
    line = reload(reloaded, {"targets": [target(newest, "one", pace="fast")]}, REFUSED)
    assert "pace" in line and "level=error" in line
    metrics = reloaded.metrics()
    assert metrics.value("pgconn_exporter_config_last_reload_successful") == 0
    assert metrics.value("pgconn_exporter_config_last_reload_success_timestamp_seconds") == stamp
    assert metrics.value("pgconn_exporter_targets") == 3
    assert sessions(newest, "roundtrip") == before
    reload(reloaded, {"targets": [target(newest, "one")]}, RELOADED)
    assert reloaded.metrics().value("pgconn_exporter_config_last_reload_successful") == 1


def test_a_hundred_reloads_in_a_row_leave_as_many_sessions_as_one(newest, reloaded):
    for number in range(100):
        reloaded.write_config({"targets": [target(newest, "one", labels={"round": str(number)})]})
        reloaded.process.signal(signal.SIGHUP)
    eventually(lambda: reloaded.metrics().value("pgconn_up", round="99") == 1, what="the last configuration")
    eventually(lambda: (len(sessions(newest, "roundtrip")), len(sessions(newest, "idle"))) == (1, 1))


def test_without_a_file_a_hangup_changes_nothing(newest, run_exporter):
    exporter = run_exporter(None, env={"PGHOST": "127.0.0.1", "PGPORT": str(newest.port), "PGUSER": "postgres",
                                       "PGSSLMODE": "require"})
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1)
    exporter.process.signal(signal.SIGHUP)
    assert "targets_kept=1" in exporter.process.wait_log(RELOADED)


def test_a_target_that_ends_before_its_turn_to_begin_is_never_connected_to(run_exporter):
    # Targets begin one after the other: the last one of so many after some seconds.
    with peers.Rude() as many, peers.Rude() as last_but_one, peers.Rude() as last:
        def config(*peers_of_targets):
            return {"targets": [
                {"name": f"t{number}", "dsn": f"host=127.0.0.1 port={peer.port} sslmode=disable", "probes": PROBES}
                for number, peer in enumerate(peers_of_targets)
            ]}

        before = [*[many] * 600, last_but_one]
        exporter = run_exporter(config(*before, last))
        assert "targets_ended=1" in reload(exporter, config(*before), RELOADED)
        eventually(lambda: last_but_one.accepted, what="a connection of the last one that stays")
        assert last.accepted == 0
