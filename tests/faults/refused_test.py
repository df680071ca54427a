"""Connections are lost while a running server turns new sessions away: counted soon, with the cause."""

import time

import pytest

from tests.faults.held import CANARY, ROUNDTRIP, drops, incidents
from tests.support.process import eventually

# A drop is counted within five seconds; the rest is for scrapes on a busy machine.
SOON = 8


def expect_soon(held, began, drops_expected, incident):
    eventually(lambda: drops(held.metrics()) == drops_expected, what=f"the drops {drops_expected}")
    took = time.monotonic() - began
    print(f"{incident}: counted {took:.2f} s after the fault")
    assert took < SOON, held.log()
    cause, scope = incident
    held.until_told(cause=cause, scope=scope)
    assert incidents(held.metrics()) == {incident: 1}


def terminate_one(scene, held, application):
    victim = held.pids(application)[0]
    began = time.monotonic()
    assert scene.value("SELECT pg_terminate_backend(%s)", victim)
    probe = application.rpartition("/")[2]
    expect_soon(
        held, began, {(probe, "admin_terminate", "57P01"): 1}, ("admin_terminate", "one")
    )


def test_a_database_that_is_dropped_by_force_takes_all_by_an_administrators_command(scene, hold):
    scene.sql("CREATE DATABASE doomed")
    held = hold(dsn=scene.box.dsn(dbname="doomed"))
    began = time.monotonic()
    scene.sql("DROP DATABASE doomed WITH (FORCE)")
    expect_soon(held, began, {
        ("roundtrip", "admin_terminate", "57P01"): 1, ("idle", "admin_terminate", "57P01"): 2,
    }, ("admin_terminate", "all"))


@pytest.mark.parametrize("application", [ROUNDTRIP, CANARY])
def test_one_terminated_whose_successor_pg_hba_rejects_was_terminated(scene, hold, application):
    held = hold(scene.role("monitor", "pg_monitor"))
    scene.box.hba("host all monitor 127.0.0.1/32 reject")
    try:
        terminate_one(scene, held, application)
    finally:
        scene.box.hba()


@pytest.mark.parametrize("application", [ROUNDTRIP, CANARY])
def test_one_terminated_on_a_server_that_offers_tls_no_more_was_terminated(
    scene, hold, application
):
    held = hold()
    scene.alter_system(ssl="off")
    terminate_one(scene, held, application)
