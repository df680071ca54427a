"""Where a connect spends its time: the phases of the probe `connect`, as the program reports them."""

import math

import pytest

from tests.integration.scenes import by
from tests.support.process import eventually

ONE_AFTER_THE_OTHER = ("resolve", "tcp", "tls", "startup", "query")
PHASES = {*ONE_AFTER_THE_OTHER, "total"}
OWN_BUCKETS = [0.25, 0.5, 300]
ROUNDING = 1e-9  # seconds


def by_phase(families, name, target):
    return by("phase", families.samples(name, probe="connect", target=target))


def least(seconds):
    """What a connect takes at least, given its phases."""
    return sum(seconds[phase] for phase in ONE_AFTER_THE_OTHER) - ROUNDING


@pytest.fixture
def timed(newest, run_exporter):
    """The scrape after two connects by name and over TLS, of a target with buckets of its own and one without."""
    dsn = newest.dsn(host="localhost")
    exporter = run_exporter({
        "targets": [{"name": "plain", "dsn": dsn},
                    {"name": "own", "dsn": dsn, "probes": {"duration_buckets": OWN_BUCKETS}}],
        "probes": {"connect": {"interval": "500ms", "timeout": "490ms"}},
    })

    def scrape():
        families = exporter.metrics()
        counts = [by_phase(families, "pgconn_probe_duration_seconds_count", target).get("total", 0)
                  for target in ("plain", "own")]
        return families if min(counts) >= 2 else None

    return eventually(scrape, what="two connects of each target")


def test_a_connect_is_timed_in_all_its_phases_which_make_up_its_total(timed):
    counts = by_phase(timed, "pgconn_probe_duration_seconds_count", "plain")
    assert counts == dict.fromkeys(PHASES, counts["total"])
    sums = by_phase(timed, "pgconn_probe_duration_seconds_sum", "plain")
    assert all(sums[phase] > 0 for phase in PHASES), sums
    assert sums["total"] >= least(sums), sums
    last = by_phase(timed, "pgconn_probe_last_duration_seconds", "plain")
    assert last.keys() == PHASES
    assert last["total"] >= least(last), last
    assert all(0 < last[phase] <= sums[phase] + ROUNDING for phase in PHASES), (last, sums)


@pytest.mark.parametrize("target, first, last, count", [
    ("plain", 0.0002, 10, 15), ("own", 0.25, 300, len(OWN_BUCKETS)),
])
def test_the_buckets_are_the_configured_ones_or_by_default_from_a_fifth_of_a_millisecond_to_ten_seconds(
    timed, target, first, last, count
):
    for phase in PHASES:
        buckets = timed.samples("pgconn_probe_duration_seconds_bucket", probe="connect", target=target, phase=phase)
        bounds = sorted(float(sample.labels["le"]) for sample in buckets)
        assert (bounds[0], bounds[-2], bounds[-1]) == (first, last, math.inf), (phase, bounds)
        assert len(bounds) == count + 1
