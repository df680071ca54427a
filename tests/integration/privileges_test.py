"""What each collector delivers to a superuser, to pg_monitor and to a role without any grant."""

import re

import pytest

from tests.integration.scenes import TARGET, by
from tests.support.process import eventually

COLLECTORS = {"server", "sessions", "blocking", "limits", "session_ends", "transport", "settings"}
NEED_SESSIONS = {"sessions", "blocking", "transport"}


def succeeded(families):
    return {
        sample.labels["collector"]
        for sample in families.samples("pgconn_collector_success", target=TARGET)
        if sample.value == 1
    }


def skipped(families):
    samples = families.samples("pgconn_collector_skipped", target=TARGET)
    return by(("collector", "reason"), samples).keys()


def visibility(families):
    return by("scope", families.samples("pgconn_visibility"))


def complaints(box, start=0):
    """Lines of the server's log that complain about a session of the exporter."""
    severe = r"^.* pgconn_exporter/.* (?:WARNING|ERROR|FATAL|PANIC): .*$"
    return re.findall(severe, box.log(), re.M)[start:]


@pytest.mark.parametrize("role, groups", [("postgres", None), ("monitor", ["pg_monitor"])])
def test_every_collector_succeeds_for_a_superuser_and_for_a_role_with_only_pg_monitor(
    scene, role, groups
):
    if groups:
        scene.role(role, *groups)
    before = len(complaints(scene.box))
    exporter = scene.watch(role)
    for _ in range(2):
        families = exporter.metrics(f"target={TARGET}")
        assert families.value("pgconn_up", target=TARGET) == 1
        assert succeeded(families) == COLLECTORS
        assert skipped(families) == set()
        assert visibility(families) == {"sessions": 1, "settings": 1, "logs": 1}
        assert families.sum("pgconn_scrape_errors_total") == 0
    assert complaints(scene.box, before) == []


def test_each_collector_can_be_asked_for_alone(scene):
    exporter = scene.watch()
    for collector in sorted(COLLECTORS):
        families = exporter.metrics(f"target={TARGET}&collect[]={collector}")
        assert succeeded(families) == {collector}
        assert len(families.samples("pgconn_collector_success")) == 1


def test_the_target_is_described_with_its_version_and_role(scene):
    families = scene.watch().metrics()
    version = scene.value("SHOW server_version").split()[0]
    assert [sample.labels for sample in families.samples("pgconn_target_info")] == [{
        "target": TARGET, "host": "127.0.0.1", "port": str(scene.box.port), "database": "postgres",
        "kind": "postgres", "server_version": version, "role": "primary",
    }]
    assert families.value("pgconn_server_in_recovery") == 0
    for metric, function in (
        ("pgconn_server_start_time_seconds", "pg_postmaster_start_time"),
        ("pgconn_server_config_load_time_seconds", "pg_conf_load_time"),
    ):
        expected = float(scene.value(f"SELECT extract(epoch FROM {function}())"))
        # Each process of the server records for itself when it loaded the configuration.
        assert families.value(metric) == pytest.approx(expected, abs=1)


def test_a_bare_role_gets_what_is_visible_and_the_missing_grant_is_reported_once(scene):
    scene.role("bare")
    scene.session("bare", application="mine")
    before = len(complaints(scene.box))
    exporter = scene.watch("bare")
    for _ in range(3):
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert succeeded(families) == COLLECTORS - NEED_SESSIONS
        assert skipped(families) == {(collector, "privilege") for collector in NEED_SESSIONS}
        assert visibility(families) == {"sessions": 0, "settings": 0, "logs": 0}
        # Counts of states we may not see would be lies, limits are public.
        assert families.samples("pgconn_sessions") == []
        assert families.samples("pgconn_connection_slots_used") == []
        assert families.samples("pgconn_server_crash_restart_time_seconds") == []
        assert families.value("pgconn_connection_slots", kind="max") == 60
        assert families.value("pgconn_role_connections", role="bare") == 2
        assert families.value("pgconn_transactions_total", database="postgres", outcome="commit")
        assert families.value("pgconn_setting_value", name="max_connections") == 60
        assert families.sum("pgconn_scrape_errors_total") == 0
    assert complaints(scene.box, before) == []
    told = [line for line in exporter.log_lines if "GRANT pg_monitor" in line]
    assert len(told) == 1 and "role=bare" in told[0], told
    assert all(collector in told[0] for collector in NEED_SESSIONS), told


def test_a_grant_is_noticed_by_the_next_scrape_and_its_loss_is_reported_again(scene):
    scene.role("bare")
    exporter = scene.watch("bare")
    assert succeeded(exporter.metrics()) == COLLECTORS - NEED_SESSIONS
    scene.sql("GRANT pg_monitor TO bare")
    families = exporter.metrics()
    assert succeeded(families) == COLLECTORS and skipped(families) == set()
    assert visibility(families) == {"sessions": 1, "settings": 1, "logs": 1}
    scene.sql("REVOKE pg_monitor FROM bare")
    assert succeeded(exporter.metrics()) == COLLECTORS - NEED_SESSIONS
    eventually(lambda: sum("collectors=sessions" in line for line in exporter.log_lines) == 2)


def test_pg_read_all_stats_alone_is_enough_for_the_sessions(scene):
    scene.role("reader", "pg_read_all_stats")
    families = scene.watch("reader").metrics()
    assert succeeded(families) == COLLECTORS
    assert visibility(families) == {"sessions": 1, "settings": 0, "logs": 0}
