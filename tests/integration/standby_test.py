"""A standby, and its promotion."""

import pytest

from tests.integration.scenes import Scene, by
from tests.support.pgbox import PgBox
from tests.support.process import eventually


@pytest.fixture
def standby_scene(spare):
    with PgBox(spare.version) as standby:
        standby.start_standby_of(spare, max_connections=10)
        with Scene(standby) as scene:
            yield scene


def roles(families):
    return [sample.labels["role"] for sample in families.samples("pgconn_target_info")]


def test_a_standby_is_collected_like_a_primary_until_its_promotion_is_reported(standby_scene):
    scene = standby_scene
    scene.transaction("SELECT 1", application="report")
    scene.session(application="leader").run("SELECT pg_advisory_lock(1)")
    scene.wait_for_lock(scene.session(application="web").start("SELECT pg_advisory_lock(1)"))
    exporter = scene.watch()
    families = exporter.metrics()
    assert families.value("pgconn_server_in_recovery") == 1
    assert roles(families) == ["standby"]
    successes = families.samples("pgconn_collector_success")
    assert len(successes) == 7 and all(sample.value == 1 for sample in successes), successes
    assert families.value("pgconn_sessions", application="report", state="idle in transaction") == 1
    assert families.value("pgconn_blocked_sessions", database="postgres") == 1
    assert families.value("pgconn_setting_value", name="max_connections") == 10
    assert families.value("pgconn_setting_seconds", name="wal_sender_timeout") == 60
    assert families.value("pgconn_transport_sessions", transport="tls", origin="local") == 4
    assert families.value("pgconn_server_crash_restart_time_seconds") == 0

    scene.sql("SELECT pg_promote()")
    eventually(lambda: exporter.metrics().value("pgconn_server_in_recovery") == 0)
    families = exporter.metrics()
    assert roles(families) == ["primary"]
    # A promotion is no restart.
    assert families.sum("pgconn_server_restarts_total") == 0
    assert families.value("pgconn_server_crash_restart_time_seconds") == 0


@pytest.mark.parametrize("groups", [["pg_monitor"], []], ids=["a monitor", "a bare role"])
def test_a_standby_shows_a_role_what_it_may_see(spare, standby_scene, groups):
    with Scene(spare) as primary:
        primary.role("watcher", *groups)
        standby_scene.until("SELECT count(*) = 1 FROM pg_roles WHERE rolname = 'watcher'")
        for group in groups:
            standby_scene.until("SELECT pg_has_role('watcher', %s, 'USAGE')", group)
        standby_scene.transaction("SELECT 1", application="report")
        families = standby_scene.watch("watcher").metrics()
        assert families.value("pgconn_up") == 1 and roles(families) == ["standby"]
        assert families.value("pgconn_visibility", scope="sessions") == len(groups)
        skipped = by(("collector", "reason"), families.samples("pgconn_collector_skipped"))
        hidden = () if groups else ("sessions", "blocking", "transport")
        assert skipped == {(collector, "privilege"): 1 for collector in hidden}
        failed = [s.labels["collector"] for s in families.samples("pgconn_collector_success") if not s.value]
        assert sorted(failed) == sorted(hidden)
        told = families.value("pgconn_sessions", application="report", state="idle in transaction")
        assert told == (1 if groups else None)


def test_the_sender_on_the_primary_is_no_client_session(spare, standby_scene):
    with Scene(spare) as scene:
        scene.until("SELECT count(*) = 1 FROM pg_stat_replication")
        families = scene.watch().metrics()
        assert families.sum("pgconn_sessions") == 1  # the admin's
        assert families.value("pgconn_connection_slots_used") == 2
