"""What we cost the server we watch: our sessions and our statements."""

import re

import pytest

from tests.integration.scenes import TARGET, errors
from tests.support.process import eventually

OURS = "pgconn_exporter/collect"


def statements(box, offset):
    """What our sessions ran since `offset` of the server's log, as the server logged it."""
    entries = re.split(r"^(?=\d{4}-\d\d-\d\d \S+ UTC \[)", box.log()[offset:], flags=re.M)
    ours = [entry for entry in entries if f" {OURS} " in entry.split("LOG:")[0]]
    return [entry for entry in ours if re.search(r"LOG:  (execute|statement)", entry)]


@pytest.fixture
def logged(scene):
    scene.role("monitor", "pg_monitor")
    scene.sql("ALTER ROLE monitor SET log_statement = 'all'")
    return scene


@pytest.mark.parametrize("query", ["", "collect[]=sessions&collect[]=blocking"])
def test_the_sessions_are_read_once_a_scrape_whoever_needs_them(logged, query):
    exporter = logged.watch("monitor")
    exporter.metrics()
    for _ in range(3):
        offset = len(logged.box.log())
        exporter.metrics(query)
        ran = statements(logged.box, offset)
        reads = [entry for entry in ran if re.search("pg_stat_(get_)?activity", entry)]
        assert len(reads) == 1, reads


def test_what_changes_only_with_the_configuration_is_read_once(logged):
    exporter = logged.watch("monitor")

    def settings_read():
        offset = len(logged.box.log())
        exporter.metrics()
        return sum("pg_settings" in entry for entry in statements(logged.box, offset))

    assert settings_read() == 1
    assert [settings_read() for _ in range(3)] == [0, 0, 0]
    logged.reload()
    eventually(lambda: settings_read() == 1)
    # Once more on the session begun after the reload: it may see what the held one could not.
    assert settings_read() == 1
    assert [settings_read() for _ in range(3)] == [0, 0, 0]


def test_one_session_serves_all_scrapes_and_is_gone_after_the_stop(scene):
    count = "SELECT array_agg(pid) FROM pg_stat_activity WHERE application_name = %s"
    with scene.exporter() as exporter:
        exporter.metrics()
        pids = scene.value(count, OURS)
        assert len(pids) == 1
        for _ in range(5):
            families = exporter.metrics()
        assert scene.value(count, OURS) == pids
        assert families.value("pgconn_exporter_connections", purpose="collect", target=TARGET) == 1
    scene.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = %s", OURS)


@pytest.mark.parametrize("through", ["tls", "plain", "unix"])
def test_our_session_is_replaced_at_once_when_terminated_and_the_reason_reported(scene, through):
    exporter = scene.watch(dsn=scene.box.dsn(**scene.transport(through)))
    ours = f"FROM pg_stat_activity WHERE application_name = '{OURS}'"
    for count in (1, 2, 3):
        assert exporter.metrics().value("pgconn_up") == 1
        assert scene.sql(f"SELECT pg_terminate_backend(pid) {ours}") == [(True,)]
        scene.until(f"SELECT NOT EXISTS (SELECT {ours})")
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert errors(families) == {("terminated", "57P01"): count}
        assert families.sum("pgconn_server_restarts_total") == 0


def test_sessions_of_any_exporter_are_no_client_sessions_but_take_slots(scene):
    scene.session(application="web")
    first, second = scene.watch(), scene.watch()
    second.metrics()
    families = first.metrics()
    applications = {s.labels["application"] for s in families.samples("pgconn_sessions")}
    assert applications == {"admin", "web"}
    assert families.sum("pgconn_sessions") == 2
    assert families.sum("pgconn_transport_sessions") == 2
    assert families.value("pgconn_connection_slots_used") == 4


def test_our_session_is_idle_outside_of_transactions_between_scrapes(scene):
    scene.watch().metrics()
    assert scene.sql(
        "SELECT state, xact_start, backend_xmin FROM pg_stat_activity WHERE application_name = %s",
        OURS,
    ) == [("idle", None, None)]


def test_an_idle_session_timeout_does_not_end_our_session(scene):
    if scene.box.version < 14:
        pytest.skip("idle_session_timeout is new in PostgreSQL 14")
    scene.role("monitor", "pg_monitor")
    scene.sql("ALTER ROLE monitor SET idle_session_timeout = '1s'")
    exporter = scene.watch("monitor")
    exporter.metrics()
    victim = scene.session("monitor", application="victim")
    scene.wait_gone(victim)  # a session that does not exempt itself ends
    families = exporter.metrics()
    assert families.sum("pgconn_scrape_errors_total") == 0
    assert families.samples("pgconn_sessions", application="victim") == []
