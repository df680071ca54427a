"""The server's own settings, who overrides them, and which timeout applies to whom."""

import pytest

from tests.integration.scenes import by
from tests.support.process import eventually

TIMEOUT = "idle_in_transaction_session_timeout"


def seconds(families):
    return by("name", families.samples("pgconn_setting_seconds"))


def values(families):
    return by("name", families.samples("pgconn_setting_value"))


def overrides(families):
    samples = families.samples("pgconn_setting_override_seconds")
    return by(("name", "database", "role"), samples)


def test_times_are_reported_in_seconds_whatever_unit_they_were_written_in(scene):
    scene.alter_system(
        statement_timeout="90s", lock_timeout="1500ms", authentication_timeout="2min",
        deadlock_timeout="1234", tcp_keepalives_idle="300", tcp_user_timeout="0",
        **{TIMEOUT: "1h"},
    )
    exporter = scene.watch()
    expected = {
        "statement_timeout": 90, "lock_timeout": 1.5, "authentication_timeout": 120,
        "deadlock_timeout": 1.234, "tcp_keepalives_idle": 300, "tcp_user_timeout": 0, TIMEOUT: 3600,
        # Not set: what Linux does then.
        "tcp_keepalives_interval": 75,
    }
    for name, since in (
        ("idle_session_timeout", 14), ("client_connection_check_interval", 14),
        ("transaction_timeout", 17),
    ):
        if scene.box.version >= since:
            expected[name] = 0
    if scene.box.version >= 19:
        expected["password_expiration_warning_threshold"] = 7 * 86400
    found = seconds(exporter.metrics("collect[]=settings"))
    assert found == expected | {"wal_sender_timeout": 60}


def test_how_long_a_shutdown_waits_for_standbys_is_reported_once_it_is_limited(scene):
    if scene.box.version < 19:
        pytest.skip("new in PostgreSQL 19")
    exporter = scene.watch()
    assert "wal_sender_shutdown_timeout" not in seconds(exporter.metrics())  # -1: as long as it takes
    scene.alter_system(wal_sender_shutdown_timeout="30s")
    eventually(lambda: seconds(exporter.metrics()).get("wal_sender_shutdown_timeout") == 30)
    role = scene.role("replicator", options="LOGIN REPLICATION")
    scene.sql(f"ALTER ROLE {role} SET wal_sender_shutdown_timeout = -1")  # no limit is no sample here either
    scene.alter_system(wal_sender_shutdown_timeout="10s")
    eventually(lambda: seconds(exporter.metrics()).get("wal_sender_shutdown_timeout") == 10)
    assert ("wal_sender_shutdown_timeout", "", role) not in overrides(exporter.metrics())


def test_numbers_switches_and_sizes_are_reported_in_base_units(scene):
    found = values(scene.watch().metrics("collect[]=settings"))
    size = "SELECT pg_size_bytes(current_setting(%s))"
    assert found["shared_buffers"] == scene.value(size, "shared_buffers") == 128 * 1024 ** 2
    assert found["work_mem"] == 4 * 1024 ** 2
    assert found["max_connections"] == 60
    assert found["superuser_reserved_connections"] == 3
    assert found["tcp_keepalives_count"] == 9  # Linux's
    assert found["ssl"] == found["log_connections"] == found["track_activities"] == 1
    assert ("reserved_connections" in found) == (scene.box.version >= 16)
    assert found.get("ssl_sni") == (0 if scene.box.version >= 19 else None)
    scene.alter_system(log_connections="off", work_mem="64MB")
    found = values(scene.watch().metrics("collect[]=settings"))
    assert found["log_connections"] == 0 and found["work_mem"] == 64 * 1024 ** 2


def test_a_changed_setting_is_seen_after_the_reload_by_the_session_that_is_held(scene):
    exporter = scene.watch()
    assert seconds(exporter.metrics())["deadlock_timeout"] == 1
    scene.alter_system(deadlock_timeout="3s")
    eventually(lambda: seconds(exporter.metrics())["deadlock_timeout"] == 3)


def test_our_own_limits_are_not_mistaken_for_the_server_s(scene):
    exporter = scene.watch(**{"global": {"statement_timeout": "4s", "lock_timeout": "3s"}})
    for _ in range(2):
        found = seconds(exporter.metrics())
        assert found["statement_timeout"] == found["lock_timeout"] == 0


def test_what_the_connection_s_options_set_is_not_mistaken_for_the_server_s(scene):
    options = "-c statement_timeout=3s --Lock-Timeout=2s -cdeadlock_timeout=4s"
    exporter = scene.watch(dsn=scene.box.dsn(options=options))
    for _ in range(2):
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        hidden = {"statement_timeout", "lock_timeout", "deadlock_timeout"}
        assert not hidden & seconds(families).keys()
        about = {sample.labels["finding"] for sample in families.samples("pgconn_finding")}
        assert not {name for name in about if name.startswith("statement_timeout")}


def test_a_setting_masked_for_our_own_role_is_not_guessed(scene):
    scene.role("monitor", "pg_monitor")
    scene.alter_system(statement_timeout="90s", lock_timeout="80s")
    for statement in ("statement_timeout = '7s'", "work_mem = '9MB'"):
        scene.sql(f"ALTER ROLE monitor SET {statement}")
    families = scene.watch("monitor").metrics()
    assert "statement_timeout" not in seconds(families)
    assert "work_mem" not in values(families)
    assert seconds(families)["lock_timeout"] == 80
    assert overrides(families) == {("statement_timeout", "", "monitor"): 7}
    # For another role nothing is masked.
    assert seconds(scene.watch().metrics())["statement_timeout"] == 90


def test_a_setting_that_waits_for_a_restart_is_reported_until_it_is_reverted(scene):
    exporter = scene.watch()
    assert exporter.metrics().samples("pgconn_setting_pending_restart") == []

    def pending():
        families = exporter.metrics("collect[]=settings")
        return by("name", families.samples("pgconn_setting_pending_restart"))

    scene.alter_system(max_connections=61, superuser_reserved_connections=4)
    eventually(lambda: pending() == {"max_connections": 1, "superuser_reserved_connections": 1})
    assert values(exporter.metrics())["max_connections"] == 60
    # The server clears the mark only for a setting that its files still name.
    scene.alter_system(max_connections=60, superuser_reserved_connections=3)
    eventually(lambda: pending() == {})


def test_overrides_are_reported_for_roles_databases_and_roles_in_databases(scene):
    scene.role("alice")
    scene.database("shop")
    scene.sql("ALTER ROLE alice SET statement_timeout = '30s'")
    scene.sql("ALTER DATABASE shop SET lock_timeout = '2500'")
    scene.sql("ALTER ROLE alice IN DATABASE shop SET statement_timeout = '1min'")
    scene.sql("ALTER ROLE alice SET search_path = 'x'")  # no time
    assert overrides(scene.watch().metrics("collect[]=settings")) == {
        ("statement_timeout", "", "alice"): 30,
        ("lock_timeout", "shop", ""): 2.5,
        ("statement_timeout", "shop", "alice"): 60,
    }


@pytest.fixture
def overridden(scene):
    """Every level of overrides at once: each is wider than the next."""
    for role in ("plain", "owner", "special"):
        scene.role(role)
    scene.database("shop")
    scene.alter_system(**{TIMEOUT: "1000s"})
    scene.do(f"ALTER ROLE ALL SET {TIMEOUT} = '900s'", f"ALTER ROLE ALL RESET {TIMEOUT}")
    scene.sql(f"ALTER DATABASE shop SET {TIMEOUT} = '800s'")
    for role in ("owner", "special"):
        scene.sql(f"ALTER ROLE {role} SET {TIMEOUT} = '700s'")
    scene.sql(f"ALTER ROLE special IN DATABASE shop SET {TIMEOUT} = '600s'")
    return scene


def check_ratios(scene, exporter, sessions):
    """Each ratio is the session's idle age over the timeout that PostgreSQL itself gave it."""
    before = {who: scene.age(session, "state_change") for who, (session, _) in sessions.items()}
    families = exporter.metrics("collect[]=sessions")
    samples = families.samples("pgconn_idle_in_transaction_timeout_ratio")
    found = by(("user", "database"), samples)
    assert found.keys() == sessions.keys()
    for who, (session, timeout) in sessions.items():
        after = scene.age(session, "state_change")
        assert before[who] / timeout <= found[who] <= after / timeout, who


def test_the_timeout_of_a_role_in_a_database_wins_then_role_database_all_and_server(overridden):
    scene, sessions = overridden, {}
    for who, timeout in {
        ("special", "shop"): 600, ("special", "postgres"): 700, ("owner", "shop"): 700,
        ("plain", "shop"): 800, ("plain", "postgres"): 900,
    }.items():
        session = scene.transaction("SELECT 1", role=who[0], database=who[1])
        own = f"SELECT extract(epoch FROM current_setting('{TIMEOUT}')::interval)"
        assert session.run(own) == [(timeout,)]
        sessions[who] = session, timeout
    for session, _ in sessions.values():
        scene.wait_for_age(session, "state_change", 1)
    exporter = scene.watch()
    check_ratios(scene, exporter, sessions)

    scene.sql(f"ALTER ROLE ALL RESET {TIMEOUT}")
    session = scene.transaction("SELECT 1", role="plain")
    assert session.run(f"SHOW {TIMEOUT}") == [("1000s",)]
    sessions["plain", "postgres"][0].close()
    scene.wait_gone(sessions["plain", "postgres"][0])
    # Until it connects again, our own session still has the value for all roles.
    check_ratios(scene, scene.watch(), {**sessions, ("plain", "postgres"): (session, 1000)})


def test_an_override_of_zero_switches_the_timeout_off_for_its_owner_alone(scene):
    scene.role("patient")
    scene.role("plain")
    scene.alter_system(**{TIMEOUT: "100s"})
    scene.sql(f"ALTER ROLE patient SET {TIMEOUT} = 0")
    scene.transaction("SELECT 1", role="patient")
    check_ratios(scene, scene.watch(), {("plain", "postgres"): (
        scene.transaction("SELECT 1", role="plain"), 100
    )})


def test_without_any_timeout_there_is_no_ratio(scene):
    scene.transaction("SELECT 1")
    families = scene.watch().metrics("collect[]=sessions")
    assert families.samples("pgconn_idle_in_transaction_timeout_ratio") == []


def test_an_aborted_transaction_counts_for_the_ratio_too(scene):
    scene.alter_system(**{TIMEOUT: "100s"})
    session = scene.transaction(application="app")
    with pytest.raises(Exception, match="division by zero"):
        session.run("SELECT 1/0")
    check_ratios(scene, scene.watch(), {("postgres", "postgres"): (session, 100)})
