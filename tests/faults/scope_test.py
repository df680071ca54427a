"""How many of the held connections were lost together: all, one, some of them, or just the idle ones."""

import pytest

import time

from tests.faults.held import CANARY, ROUNDTRIP, drops, incidents
from tests.support.process import eventually


def expect_two_of_three(scene, held, victims, drops_expected, scope):
    began = time.monotonic()
    scene.sql("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", victims)
    eventually(lambda: drops(held.metrics()) == drops_expected, what="both drops")
    print(f"two of three terminated: counted {time.monotonic() - began:.2f} s after the fault")
    held.until_told(cause="admin_terminate", scope=scope, drops="2", held="3")
    assert incidents(held.metrics()) == {("admin_terminate", scope): 1}


@pytest.mark.newest_only
def test_two_lost_of_three_are_neither_one_nor_all(scene, hold):
    held = hold()
    expect_two_of_three(scene, held, [held.pids(ROUNDTRIP)[0], held.pids(CANARY)[0]], {
        ("roundtrip", "admin_terminate", "57P01"): 1, ("idle", "admin_terminate", "57P01"): 1,
    }, "some")


@pytest.mark.newest_only
def test_both_idle_ones_of_three_are_a_pattern(scene, hold):
    held = hold()
    expect_two_of_three(
        scene, held, held.pids(CANARY), {("idle", "admin_terminate", "57P01"): 2}, "idle_only"
    )
