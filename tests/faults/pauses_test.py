"""A server that stands still for a while, as a whole: virtual machines that migrate, storage that hangs."""

import contextlib
from pathlib import Path

from tests.faults.held import HASTY, Held, drops, incidents, postmaster, stopped


def all_stopped(box):
    """Every process of a server stands still."""
    parent = postmaster(box)
    standing = contextlib.ExitStack()
    standing.enter_context(stopped(parent))
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        standing.enter_context(stopped(int(child)))
    return standing


def test_a_server_that_stands_still_for_a_while_is_not_taken_for_a_silent_network(own_scene):
    held = Held(own_scene, **HASTY).until_whole()
    with all_stopped(own_scene.box):
        held.until_given_up()
    record = held.until_told(cause="unknown", scope="all", reason="timeout", drops="3")
    assert "took the question" in record["because"]
    assert {cause for _, cause, _ in drops(held.metrics())} == {"unknown"}
    assert incidents(held.metrics()) == {("unknown", "all"): 1}
