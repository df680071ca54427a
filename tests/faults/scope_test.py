"""How many of the held connections fell together: all, one, or some of them."""

import time

from tests.faults.held import CANARY, ROUNDTRIP, drops, incidents
from tests.support.process import eventually


def test_two_of_three_that_fall_are_neither_one_nor_all(scene, hold):
    held = hold()
    began = time.monotonic()
    victims = [held.pids(ROUNDTRIP)[0], held.pids(CANARY)[0]]
    scene.sql("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", victims)
    expected = {("roundtrip", "admin_terminate", "57P01"): 1, ("idle", "admin_terminate", "57P01"): 1}
    eventually(lambda: drops(held.metrics()) == expected, what="both drops")
    print(f"two of three terminated: counted {time.monotonic() - began:.2f} s after the fault")
    held.until_told(cause="admin_terminate", scope="some", drops="2", held="3")
    assert incidents(held.metrics()) == {("admin_terminate", "some"): 1}
