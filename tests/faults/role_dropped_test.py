"""The monitoring role is dropped while sessions are held: reported by name, at the next scrape."""

import time

import pytest

from tests.integration.scenes import errors
from tests.support import logfmt
from tests.support.process import eventually


@pytest.fixture
def fleeting(scene):
    """A role that may be gone when the test ends."""
    scene.do("CREATE ROLE fleeting LOGIN PASSWORD 'right'", "DROP ROLE IF EXISTS fleeting")
    return "fleeting"


def watch_until_up(scene, dsn):
    exporter = scene.watch(dsn=dsn, probes={"connect": False, "roundtrip": False, "idle": False})
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1, what="a first scrape")
    return exporter


def told(exporter):
    """The one line of the log; it is written by a thread of its own."""
    records = eventually(lambda: logfmt.records(exporter.log_lines, "target cannot be collected"), what="the log")
    assert len(records) == 1, records
    return records[0]


def test_a_role_that_is_dropped_under_a_held_session_is_missing_until_it_is_created_again(scene, fleeting):
    exporter = watch_until_up(scene, scene.box.dsn(fleeting))
    scene.sql("DROP ROLE fleeting")
    began = time.monotonic()
    families = exporter.metrics()
    print(f"dropped role: told {time.monotonic() - began:.3f} s after the fault")
    assert families.value("pgconn_up") == 0
    # The held session meets it first, then a new one, which is turned away.
    assert errors(families) == {("role_missing", "42704"): 1, ("role_missing", "28000"): 1}
    assert told(exporter)["reason"] == "role_missing"
    scene.sql("CREATE ROLE fleeting LOGIN")
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1, what="a scrape with the new role")


def test_a_dropped_role_is_reported_where_logins_do_not_reveal_which_roles_exist(scene, fleeting):
    passfile = scene.box.directory / "passfile"
    passfile.touch(0o600)
    passfile.write_text("*:*:*:*:right\n")
    scene.box.hba("host all fleeting 127.0.0.1/32 scram-sha-256")
    try:
        exporter = watch_until_up(scene, scene.box.dsn(fleeting, passfile=passfile))
        scene.sql("DROP ROLE fleeting")
        families = exporter.metrics()
    finally:
        scene.box.hba()
    assert families.value("pgconn_up") == 0
    assert errors(families) == {("role_missing", "42704"): 1, ("authentication", "28P01"): 1}
    record = told(exporter)
    assert (record["reason"], record["sqlstate"]) == ("role_missing", "42704")
    assert record["error"].startswith("our role was dropped: ")
