"""A path that ends connections at a certain age, however busy they are."""

import pytest

from tests.faults.held import Held, drops, incidents
from tests.support.peers import Relay
from tests.support.process import eventually


# Spread by the name of the target: one that is rarely queried begins after the canaries, and is lost after them.
@pytest.mark.parametrize("interval", ["1s", "4s"], ids=["often asked", "seldom asked"])
def test_a_path_that_ends_all_at_an_age_is_not_blamed_for_forgetting_the_idle_ones(own_scene, interval):
    with Relay(own_scene.box.port) as relay:
        relay.lifetime = 5
        held = Held(
            own_scene, dsn=own_scene.box.dsn(port=relay.port), connect=False,
            roundtrip={"interval": interval, "timeout": "900ms"},
            idle={"ladder": ["1s", "2s", "4s", "8s"], "canaries": 2, "timeout": "2s"},
        )

        def told():
            families = held.metrics()
            return families if sum(incidents(families).values()) >= 3 else None

        families = eventually(told, 60, "three incidents")
        held.exporter.stop()
    assert all(3 < float(record["age_seconds"]) < 9 for record in held.log()), held.log()
    assert {cause for _, cause, _ in drops(families)} <= {"network_reset", "unknown"}, held.log()
    assert "idle_only" not in {scope for _, scope in incidents(families)}, held.log()
    # A loss at a certain age says nothing about the idle times that were tried.
    assert families.sum("pgconn_idle_canary_results_total", result="dropped") == 0
    assert families.samples("pgconn_idle_dropped_seconds") == []
    assert families.samples("pgconn_path_idle_limit_seconds") == []
