"""A crash restart is distinguished from a clean one, by an exporter that saw it and by one that came later."""

import pytest

from tests.integration.scenes import Session, by, errors
from tests.support.process import eventually


def restarts(families):
    return by("kind", families.samples("pgconn_server_restarts_total"))


def until_up(exporter):
    """The exporter's first scrape that finds the server up."""

    def scrape():
        families = exporter.metrics()
        return families if families.value("pgconn_up") == 1 else None

    return eventually(scrape)


def crash(scene):
    """Kills a backend, as the kernel's OOM killer does, and waits until the server is back."""
    # A start and a crash within a second or two of each other look the same from outside.
    scene.until("SELECT clock_timestamp() > pg_postmaster_start_time() + interval '3 s'")
    backs = scene.box.log_count("ready to accept connections")
    killed = float(scene.value("SELECT extract(epoch FROM clock_timestamp())"))
    victim = Session(scene.box.dsn())
    scene.box.kill_backend(victim.pid)
    # PostgreSQL 18 ignores a shutdown that comes before it is ready.
    eventually(lambda: scene.box.log_count("ready to accept connections") == backs + 1)
    scene.connect_admin()
    return killed


def restart(scene):
    scene.box.stop()
    scene.box.start()
    scene.connect_admin()


@pytest.fixture
def fresh(spare):
    """The small server, restarted, so that no crash of an earlier test is visible."""
    spare.stop()
    return spare.start()


@pytest.fixture
def restart_scene(fresh, spare_scene):
    return spare_scene


def test_a_crash_is_seen_by_an_exporter_that_was_there_and_by_one_that_came_later(restart_scene):
    scene = restart_scene
    witness = scene.watch()
    before = witness.metrics()
    assert before.value("pgconn_server_crash_restart_time_seconds") == 0
    assert restarts(before) == {"clean": 0, "crash": 0}

    killed = crash(scene)
    after = until_up(witness)
    crashed = after.value("pgconn_server_crash_restart_time_seconds")
    if scene.box.version < 15:
        assert crashed is None
    else:
        now = float(scene.value("SELECT extract(epoch FROM clock_timestamp())"))
        assert killed <= crashed <= now
    started = after.value("pgconn_server_start_time_seconds")
    assert started == before.value("pgconn_server_start_time_seconds")
    assert restarts(after) == {"clean": 0, "crash": 1}
    witness.process.wait_log("kind=crash")

    late = scene.watch().metrics()
    assert late.value("pgconn_server_crash_restart_time_seconds") == crashed
    assert restarts(late) == {"clean": 0, "crash": 0}


def test_each_crash_is_counted_once(restart_scene):
    scene = restart_scene
    exporter = scene.watch()
    exporter.metrics()
    for _ in range(2):
        crash(scene)
        until_up(exporter)
    assert restarts(exporter.metrics()) == {"clean": 0, "crash": 2}


def test_a_clean_restart_is_counted_as_clean_and_leaves_no_crash_time(restart_scene):
    scene = restart_scene
    exporter = scene.watch()
    before = exporter.metrics()
    restart(scene)
    after = until_up(exporter)
    assert restarts(after) == {"clean": 1, "crash": 0}
    assert after.value("pgconn_server_crash_restart_time_seconds") == 0
    started = after.value("pgconn_server_start_time_seconds")
    assert started > before.value("pgconn_server_start_time_seconds")
    late = scene.watch().metrics()
    assert restarts(late) == {"clean": 0, "crash": 0}
    assert late.value("pgconn_server_start_time_seconds") == started


def test_a_reload_is_no_restart(restart_scene):
    scene = restart_scene
    exporter = scene.watch()
    exporter.metrics()
    scene.reload()
    assert restarts(exporter.metrics()) == {"clean": 0, "crash": 0}


def test_a_reload_has_its_true_time_however_long_there_was_no_scrape(restart_scene):
    scene = restart_scene
    exporter = scene.watch()
    name = "pgconn_server_config_load_time_seconds"
    before = exporter.metrics().value(name)
    scene.reload()
    loaded = float(scene.value("SELECT extract(epoch FROM clock_timestamp())"))
    scene.until("SELECT extract(epoch FROM clock_timestamp()) > %s", loaded + 1)
    told = [exporter.metrics().value(name) for _ in range(3)]
    assert told[0] is None  # the held session notices it now
    assert before < told[1] == told[2] <= loaded


def test_a_server_that_is_stopped_is_down_and_every_collector_says_so(restart_scene):
    scene = restart_scene
    exporter = scene.watch()
    assert exporter.metrics().value("pgconn_up") == 1
    scene.box.stop()
    try:
        families = exporter.metrics()
        assert families.value("pgconn_up") == 0
        successes = families.samples("pgconn_collector_success")
        assert len(successes) == 7 and all(sample.value == 0 for sample in successes)
        assert families.value("pgconn_scrape_errors_total", reason="refused", sqlstate="") == 1
        assert families.samples("pgconn_sessions") == []
    finally:
        scene.box.start()
        scene.connect_admin()
    assert until_up(exporter).value("pgconn_up") == 1


def test_a_crash_resets_the_counters_of_sessions_and_transactions(restart_scene):
    scene = restart_scene
    scene.database("counted")
    session = scene.session(database="counted")
    for _ in range(200):
        session.run("SELECT 1")
    session.close()
    exporter = scene.watch()

    def commits():
        return exporter.metrics().value(
            "pgconn_transactions_total", database="counted", outcome="commit"
        )

    eventually(lambda: commits() >= 200)
    crash(scene)
    until_up(exporter)
    assert (commits() or 0) < 100


@pytest.mark.parametrize("groups", [(), ("pg_monitor",)], ids=["bare", "pg_monitor"])
def test_any_role_learns_which_server_it_is_without_an_error(scene, groups):
    scene.role("monitor", *groups)
    before = scene.box.log_count("ERROR: ")
    families = scene.watch("monitor").metrics()
    assert families.value("pgconn_server_moves_total") == 0
    assert errors(families) == {} and scene.box.log_count("ERROR: ") == before
