"""A planned failover: the primary of a connection string with several hosts is stopped, the next one takes us."""

import time

import pytest

from tests.faults.held import drops, incidents
from tests.support.pgbox import PgBox
from tests.support.process import eventually

EXPECTED = {("roundtrip", "server_shutdown", "57P01"): 1, ("idle", "server_shutdown", "57P01"): 2}


@pytest.fixture
def standby(scene):
    """A standby of the scene's server, which is started again afterwards."""
    with PgBox(scene.box.version) as standby:
        standby.start_standby_of(scene.box)
        try:
            yield standby
        finally:
            scene.box.start()
            scene.connect_admin()


def hosts(primary, standby, wanted):
    return primary.dsn(
        host="127.0.0.1,127.0.0.1", port=f"{primary.port},{standby.port}", sslmode="require", sslrootcert=None,
        target_session_attrs=wanted,
    )


@pytest.mark.parametrize("wanted", ["any", "read-write"])
def test_the_primary_that_is_stopped_refuses_while_the_next_host_answers(scene, standby, hold, wanted):
    held = hold(dsn=hosts(scene.box, standby, wanted))
    began = time.monotonic()
    scene.box.stop()
    eventually(lambda: drops(held.metrics()) == EXPECTED, what="three drops of a shutdown")
    took = time.monotonic() - began
    print(f"failover, {wanted}: counted {took:.2f} s after the stop was begun")
    assert took < 8
    if wanted == "read-write":
        standby.psql("SELECT pg_promote()")
    held.until_told(cause="server_shutdown", scope="all", drops="3")
    held.until_whole()
    families = held.metrics()
    assert drops(families) == EXPECTED and incidents(families) == {("server_shutdown", "all"): 1}
    held.exporter.stop()
