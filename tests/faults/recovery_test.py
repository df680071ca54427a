"""A server that is up and lets nobody in (57P03): it starts, recovers, or waits for its last session."""

import concurrent.futures
import contextlib
import os
import signal

from tests.faults.held import drops, failures, incidents, postmaster, shut_down, stopped, until_down
from tests.support.process import eventually

TURNED_AWAY = ("startup", "starting", "57P03")


def until_turned_away(held, *probes):
    """Waits until each of these probes has met 57P03; nothing else may have kept them out since."""
    eventually(
        lambda: all(TURNED_AWAY in failures(held.metrics(), probe) for probe in probes),
        what=f"57P03 for {probes}",
    )


@contextlib.contextmanager
def starting(scene):
    """The server restarted and is still starting up: it waits for a file of its archive."""
    gate = scene.box.directory / "gate"
    shut_down(scene.box)
    (scene.box.directory / "data" / "recovery.signal").touch()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        wait = f"while [ ! -e {gate} ]; do sleep 0.05; done; false"
        start = pool.submit(scene.box.start, restore_command=wait)
        try:
            yield
        finally:
            gate.touch()
            start.result()
            gate.unlink()
            scene.connect_admin()


@contextlib.contextmanager
def recovering(scene):
    """A crash from which the server cannot recover, because one of its processes does not die."""
    backs = scene.box.log_count("ready to accept connections")
    undying = scene.session(application="undying")
    victim = scene.session(application="victim")
    with stopped(undying.pid):
        scene.box.kill_backend(victim.pid)
        yield
    eventually(lambda: scene.box.log_count("ready to accept connections") == backs + 1)
    scene.connect_admin()


def test_a_start_that_takes_its_time_keeps_newcomers_out_and_ends(scene, hold):
    held = hold()
    with starting(scene):
        until_turned_away(held, "connect", "roundtrip", "idle")
        held.until_told(cause="server_shutdown", scope="all", drops="3", sqlstate="57P01")
        assert held.metrics().value("pgconn_probe_success", probe="connect") == 0
    held.expect({
        ("roundtrip", "server_shutdown", "57P01"): 1, ("idle", "server_shutdown", "57P01"): 2,
    }, "server_shutdown", "all")


def test_a_recovery_that_takes_its_time_is_reported_as_the_crash_before_it(scene, hold):
    held = hold()
    with recovering(scene):
        until_turned_away(held, "connect", "roundtrip")
        held.until_told(cause="crash", scope="all", drops="3", sqlstate="57P02")
    held.expect({
        ("roundtrip", "crash", "57P02"): 1, ("idle", "crash", "57P02"): 2,
    }, "crash", "all")


def test_a_smart_shutdown_spares_connected_clients_and_keeps_newcomers_out(scene, hold):
    held = hold()
    os.kill(postmaster(scene.box), signal.SIGTERM)
    until_turned_away(held, "connect")
    held.until_asked("roundtrip", 2)
    families = held.metrics()
    assert families.value("pgconn_probe_success", probe="connect") == 0
    assert families.value("pgconn_probe_success", probe="roundtrip") == 1
    assert families.value("pgconn_up") == 1
    assert failures(families).keys() == {TURNED_AWAY}
    assert drops(families) == {} and incidents(families) == {} and held.log() == []
    # It waited for us.
    scene.admin.close()
    held.exporter.stop()
    until_down(scene.box)
    assert held.log() == []
    scene.box.start()
    scene.connect_admin()
