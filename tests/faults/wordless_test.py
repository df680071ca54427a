"""Losses without a message: the state of the server, or of TLS, must show why."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.held import Held, drops, failures, incidents, postmaster, stopped
from tests.support.peers import Relay
from tests.support.process import eventually

# One connection is queried every two seconds, and nothing else is sent.
ONE_SPEAKS = {"connect": False, "idle": {"ladder": ["1h"], "canaries": 2, "timeout": "5s"}}


def kill_all(box):
    """Kills every process of a server, in an order that leaves none the time to send a message."""
    parent = postmaster(box)
    with stopped(parent):
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        os.kill(parent, signal.SIGKILL)


def test_a_server_that_is_killed_with_all_its_processes_is_out_of_reach(own_scene):
    held = Held(own_scene).until_whole()
    began = time.monotonic()
    kill_all(own_scene.box)
    try:
        eventually(lambda: sum(drops(held.metrics()).values()) == 3, what="three drops")
        took = time.monotonic() - began
        print(f"all processes killed: counted {took:.2f} s after the fault")
        assert took < 8  # five seconds; the rest is for scrapes on a busy machine
        held.until_told(cause="server_unreachable", scope="all", drops="3")
        assert ("tcp", "refused", "") in failures(held.metrics())
    finally:
        own_scene.box.start()
        own_scene.connect_admin()
    held.expect({
        ("roundtrip", "server_unreachable", ""): 1, ("idle", "server_unreachable", ""): 2,
    }, "server_unreachable", "all")


@pytest.mark.parametrize("answer", [True, False], ids=["the answer", "the question"])
def test_tls_that_breaks_on_the_way_is_reported_as_such_and_takes_no_other(own_scene, answer):
    with Relay(own_scene.box.port) as relay:
        held = Held(own_scene, dsn=own_scene.box.dsn(port=relay.port), **ONE_SPEAKS).until_whole()
        relay.spoil(answer)
        record = held.until_told(cause="tls_error", scope="one", probe="roundtrip", phase="query", reason="tls")
        assert "bad record mac" in record["error"]
        eventually(lambda: drops(held.metrics()) == {("roundtrip", "tls_error", ""): 1})
        assert incidents(held.metrics()) == {("tls_error", "one"): 1}
        held.exporter.stop()
