"""An idle_session_timeout on our own role that no held session can meet: a loop that only we keep going."""

import time

import pytest

from tests.faults.held import FAST, drops, incidents
from tests.support import logfmt
from tests.support.process import eventually


@pytest.mark.newest_only
def test_sessions_that_are_ended_for_idleness_again_and_again_come_back_later_and_are_reported_once(scene):
    if scene.box.version < 14:
        pytest.skip("idle_session_timeout is new in PostgreSQL 14")
    scene.role("monitor", "pg_monitor")
    scene.sql("ALTER ROLE monitor SET idle_session_timeout = '500ms'")
    exporter = scene.watch("monitor", probes={**FAST, "connect": False})

    def lost():
        return sum(drops(exporter.metrics()).values())

    eventually(lost, what="a first drop")
    began = time.monotonic()
    eventually(lambda: lost() >= 9, what="nine drops")
    took = time.monotonic() - began
    print(f"idle_session_timeout = 500ms: {lost():.0f} drops within {took:.1f} s of the first")
    # One of the three was lost three times: half a second each, and at least 2.5 and 5 in between.
    assert took > 8
    families = exporter.metrics()
    assert {(cause, sqlstate) for _, cause, sqlstate in drops(families)} == {("idle_session_timeout", "57P05")}
    assert sum(incidents(families).values()) == 1
    assert len(eventually(lambda: logfmt.records(exporter.log_lines, "connections were lost"))) == 1
