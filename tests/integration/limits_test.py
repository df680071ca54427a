"""Connection slots, and the limits of databases and roles."""

import re

import psycopg2
import pytest

from tests.integration.scenes import TARGET, by, errors
from tests.support.process import eventually


def usable_slots(scene):
    """Of the small server, for roles without a privilege."""
    return 7 if scene.box.version >= 16 else 8


def slots(families):
    return by("kind", families.samples("pgconn_connection_slots"))


def until_used(exporter, count):
    """The first scrape that finds so many slots in use: sessions that just ended may still show."""

    def scrape():
        families = exporter.metrics()
        return families if families.value("pgconn_connection_slots_used") == count else None

    return eventually(scrape, what=f"{count} slots in use")


def opened(scene, role):
    """Whether the server had a slot for one more session of the role."""
    try:
        scene.session(role, application=role)
    except psycopg2.OperationalError as error:
        assert re.search("connection slots|too many clients", str(error)), error
        return False
    return True


def fill(scene, role, count):
    """Opens so many sessions of the role, after which the server refuses it."""
    for _ in range(count):
        # A session's slot is free a moment after it has left pg_stat_activity.
        eventually(lambda: opened(scene, role))
    assert not opened(scene, role)


def test_slots_are_reported_by_kind_and_ours_count_as_used(scene):
    for _ in range(3):
        scene.session()
    exporter, other = scene.watch(), scene.watch()
    other.metrics()
    families = until_used(exporter, 6)  # the admin's and two of exporters
    reserved = {"reserved": 0} if scene.box.version >= 16 else {}
    assert slots(families) == {"max": 60, "superuser_reserved": 3, "usable": 57, **reserved}
    assert families.value("pgconn_database_connections", database="postgres") == 6


def test_slots_run_out_for_each_kind_of_role_where_the_metrics_say(spare_scene):
    scene, has_reserved = spare_scene, spare_scene.box.version >= 16
    scene.role("monitor", "pg_monitor")
    scene.role("app")
    exporter = scene.watch("monitor")
    families = exporter.metrics()
    usable = usable_slots(scene)
    reserved = {"reserved": 1} if has_reserved else {}
    assert slots(families) == {"max": 10, "superuser_reserved": 2, "usable": usable, **reserved}
    used = families.value("pgconn_connection_slots_used")
    fill(scene, "app", usable - int(used))
    until_used(exporter, usable)
    if has_reserved:
        scene.role("ops", "pg_use_reserved_connections")
        fill(scene, "ops", 1)
        until_used(exporter, usable + 1)
    fill(scene, "postgres", 2)
    families = until_used(exporter, 10)
    assert families.value("pgconn_role_connections", role="app") == usable - used


def test_a_reload_of_a_full_server_costs_no_scrape(spare_scene):
    scene = spare_scene
    scene.role("monitor", "pg_monitor")
    scene.role("app")
    exporter = scene.watch("monitor")
    loaded = exporter.metrics().value("pgconn_server_config_load_time_seconds")
    fill(scene, "app", usable_slots(scene) - 2)  # the admin's and the exporter's
    scene.reload()
    for _ in range(3):  # a newer session cannot be opened
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert errors(families) == {}
        assert families.value("pgconn_server_config_load_time_seconds") is None
    assert "sqlstate=53300" in exporter.process.wait_log("the held one stays")
    scene.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    eventually(
        lambda: (exporter.metrics().value("pgconn_server_config_load_time_seconds") or 0) > loaded
    )
    exporter.process.wait_log("held session was renewed")
    assert sum("the held one stays" in line for line in exporter.log_lines) == 1


def test_an_exporter_that_gets_no_slot_says_so_and_recovers(spare_scene):
    scene = spare_scene
    scene.role("monitor", "pg_monitor")
    scene.role("app")
    fill(scene, "app", usable_slots(scene) - 1)  # one is the admin's
    exporter = scene.watch("monitor")
    families = exporter.metrics()
    assert families.value("pgconn_up", target=TARGET) == 0
    assert families.value(
        "pgconn_scrape_errors_total", reason="too_many_connections", sqlstate="53300"
    ) == 1
    successes = families.samples("pgconn_collector_success")
    assert len(successes) == 7 and all(s.value == 0 for s in successes)
    assert families.samples("pgconn_connection_slots") == []
    exporter.process.wait_log("53300")
    assert sum("53300" in line for line in exporter.log_lines) == 1
    scene.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1)


def test_limits_of_roles_and_databases_are_reported_beside_their_connections(scene):
    scene.role("limited", options="LOGIN CONNECTION LIMIT 4")
    scene.role("closed", options="LOGIN CONNECTION LIMIT 0")
    scene.database("small", "CONNECTION LIMIT 5")
    for _ in range(2):
        scene.session("limited", "small")
    families = scene.watch().metrics("collect[]=limits")
    roles = by("role", families.samples("pgconn_role_connection_limit"))
    assert roles == {"limited": 4, "closed": 0}
    assert by("database", families.samples("pgconn_database_connection_limit")) == {"small": 5}
    assert families.value("pgconn_role_connections", role="limited") == 2
    assert families.value("pgconn_role_connections", role="closed") == 0
    assert families.value("pgconn_database_connections", database="small") == 2


@pytest.mark.parametrize("limit, reason", [("ROLE limited", "role_limit"), ("DATABASE small", "database_limit")])
def test_a_target_refused_by_a_connection_limit_is_down_with_53300_and_the_limit(scene, limit, reason):
    scene.role("limited", "pg_monitor")
    scene.database("small")
    scene.sql(f"ALTER {limit} CONNECTION LIMIT 0")
    families = scene.watch(dsn=scene.box.dsn("limited", dbname="small")).metrics()
    assert families.value("pgconn_up") == 0
    assert errors(families) == {(reason, "53300"): 1}
