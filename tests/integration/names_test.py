"""Names of any shape: odd characters, bytes that are no UTF-8, and more of them than we keep."""

import os

import psycopg2
import pytest

from tests.integration.scenes import Scene, Session, by, quoted

ODD_NAMES = [
    'say "hi"', "back\\slash", "new\nline", "tab\there", "ünïcödé ☃", '{a="b"} 1', "'; --",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_roles_and_databases_may_have_any_name(scene, name):
    if "\n" in name and scene.box.version >= 19:  # it refuses them: there is none to report
        with pytest.raises(psycopg2.Error, match="newline"):
            scene.role(name)
        return
    scene.role(name, options="LOGIN CONNECTION LIMIT 7")
    scene.database(name)
    scene.sql(f"ALTER ROLE {quoted(name)} IN DATABASE {quoted(name)} SET statement_timeout = '3s'")
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    scene.session(escaped, escaped, "app")
    families = scene.watch().metrics()
    who = {"database": name, "user": name}
    assert families.value("pgconn_sessions", application="app", state="idle", **who) == 1
    assert families.value("pgconn_role_connection_limit", role=name) == 7
    assert families.value("pgconn_database_connections", database=name) == 1
    override = {"name": "statement_timeout", "database": name, "role": name}
    assert families.value("pgconn_setting_override_seconds", **override) == 3
    assert families.value("pgconn_exporter_repaired_label_values_total") == 0


def test_application_names_keep_their_quotes_and_backslashes(scene):
    name = 'a "b" \\c {d}'
    scene.session(application=name.replace("\\", "\\\\"))
    families = scene.watch().metrics("collect[]=sessions")
    assert families.value("pgconn_sessions", application=name) == 1


def test_bytes_that_are_no_utf8_are_repaired_and_counted(scene, monkeypatch):
    scene.database("ascii", "ENCODING 'SQL_ASCII' TEMPLATE template0")
    latin = b"caf\xe9"
    session = scene.session(database="ascii", client_encoding="SQL_ASCII")
    session.run(b'CREATE ROLE "%s" LOGIN CONNECTION LIMIT 3' % latin)
    try:
        monkeypatch.setitem(os.environb, b"PGUSER", latin)
        client = scene.adopt(Session(scene.box.dsn(
            user=None, dbname="ascii", application_name="app", client_encoding="SQL_ASCII"
        )))
        monkeypatch.delitem(os.environb, b"PGUSER")
        for database in ("postgres", "ascii"):
            exporter = scene.watch(dsn=scene.box.dsn(dbname=database))
            families = exporter.metrics()
            successes = families.samples("pgconn_collector_success")
            assert all(sample.value == 1 for sample in successes), successes
            repaired = "caf\N{REPLACEMENT CHARACTER}"
            assert families.value("pgconn_sessions", user=repaired, application="app") == 1
            assert families.value("pgconn_role_connection_limit", role=repaired) == 3
            assert families.value("pgconn_exporter_repaired_label_values_total") > 0
        client.close()
        scene.wait_gone(client)
    finally:
        session.run(b'DROP ROLE "%s"' % latin)


def test_a_database_that_is_called_other_stays_itself_while_nothing_is_folded(scene):
    scene.database("other")
    scene.session(database="other", application="web")
    families = scene.watch().metrics()
    assert families.value("pgconn_sessions", database="other", application="web") == 1
    assert families.samples("pgconn_exporter_capped_series") == []


@pytest.mark.parametrize("label, many, limit", [("application", 300, 50), ("user", 60, 20)])
def test_more_names_than_a_metric_keeps_are_summed_into_other(new_box, label, many, limit):
    with Scene(new_box(max_connections=many + 20)) as scene:
        scene.database("other")
        local = scene.transport("unix")

        def session(name, **where):
            who = {"application": name} if label == "application" else {"role": name}
            scene.session(**who, **where, **local)

        names = [f"name{number}" for number in range(many)]
        if label == "user":
            for name in ("big", "alone", *names):
                scene.role(name)
        for _ in range(3):
            session("big")
        session("alone", database="other")
        for name in names:
            session(name)
        families = scene.watch(**{"global": {"max_series_per_metric": limit}}).metrics()
        sessions = families.samples("pgconn_sessions")
        folded = families.samples("pgconn_sessions", **{label: "other"})
        assert len(sessions) == limit + len(folded)
        # These, "big", the one in the database "other" and the admin's: each is a series.
        capped = families.value("pgconn_exporter_capped_series", metric="pgconn_sessions")
        assert capped == many + 3 - limit
        assert families.sum("pgconn_sessions") == many + 5
        assert families.value("pgconn_sessions", **{label: "big"}) == 3
        assert [s.labels["database"] for s in folded] == ["other"]
        unbounded = scene.watch(**{"global": {"max_series_per_metric": 0}}).metrics()
        assert len(unbounded.samples("pgconn_sessions")) == many + 3
        assert unbounded.samples("pgconn_exporter_capped_series") == []


def test_roles_beyond_number_are_bounded_wherever_they_are_a_label(scene):
    roles, limit = 60, 20
    for number in range(roles):
        scene.role(f"name{number}", options="LOGIN CONNECTION LIMIT 5")
        scene.sql(f"ALTER ROLE name{number} SET statement_timeout = '{number + 1}s'")
    families = scene.watch(**{"global": {"max_series_per_metric": limit}}).metrics()
    for name in ("pgconn_role_connection_limit", "pgconn_setting_override_seconds"):
        assert families.value("pgconn_exporter_capped_series", metric=name) == roles - limit, name
        assert len(families.samples(name, role="other")) == 1, name
        assert len(families.samples(name)) == limit + 1, name


def test_wait_events_are_bounded_too_and_no_waiter_is_lost(scene):
    scene.session().run("SELECT pg_advisory_lock(7)")
    for _ in range(2):
        scene.session().start("SELECT pg_sleep(600)")
    scene.wait_for_lock(scene.session().start("SELECT pg_advisory_lock(7)"))
    scene.until("SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    families = scene.watch(**{"global": {"max_series_per_metric": 1}}).metrics("collect[]=sessions")
    waiting = by(("wait_event_type", "wait_event"), families.samples("pgconn_sessions_waiting"))
    assert waiting == {("Timeout", "PgSleep"): 2, ("Lock", "other"): 1}
    assert families.value("pgconn_exporter_capped_series", metric="pgconn_sessions_waiting") == 1
