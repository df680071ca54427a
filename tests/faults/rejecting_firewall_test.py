"""A firewall that answers every packet with a reset, and how soon losses on the way are counted."""

import time

import pytest

from tests.faults.far import PACE, SHORT_LADDER, all_held, counted, drops, incidents, until, until_settled
from tests.support import logfmt
from tests.support.process import eventually

pytestmark = pytest.mark.alone

ALL_RESET = {("roundtrip", "network_reset", ""): 1, ("idle", "network_reset", ""): 2}


def refusals(families):
    return counted(families, "pgconn_probe_failures_total", "probe", "reason").get(("connect", "refused"), 0)


def told(exporter):
    return logfmt.records(exporter.log_lines, "connections were lost")


def test_a_firewall_that_resets_old_and_new_for_eight_seconds_and_heals_has_reset(watch):
    midbox, exporter = watch({}, {"connect": PACE, "roundtrip": PACE, "idle": SHORT_LADDER})
    until_settled(exporter)
    began = time.monotonic()
    midbox.reset()
    until(exporter, lambda families: refusals(families) >= 8, "eight seconds of refusals")
    midbox.mend()
    healed = time.monotonic()
    families = until(exporter, incidents, "an incident")
    print(f"reset for {healed - began:.1f} s: counted {time.monotonic() - healed:.2f} s after it healed")
    assert incidents(families) == {("network_reset", "all"): 1}
    assert drops(families) == ALL_RESET
    [record] = eventually(lambda: told(exporter), what="the log")
    # The reset has reached us, though libpq says that the server closed the connection.
    assert record["reason"] == "reset" and "reset by peer" in record["error"], record
    assert incidents(until_settled(exporter)) == {("network_reset", "all"): 1}


def test_a_firewall_that_resets_established_flows_alone_has_reset(watch):
    midbox, exporter = watch({"strangers": "reset"}, {"connect": PACE, "roundtrip": PACE, "idle": {"timeout": "1s"}})
    until(exporter, all_held, "all connections")
    began = time.monotonic()
    midbox.forget_all()
    families = until(exporter, incidents, "an incident")
    print(f"established flows reset: told {time.monotonic() - began:.2f} s after the fault")
    assert incidents(families) == {("network_reset", "all"): 1} and drops(families) == ALL_RESET
    [record] = eventually(lambda: told(exporter), what="the log")
    assert record["reason"] == "reset", record


def test_what_is_lost_to_a_cut_link_is_counted_before_the_others_have_run_out_of_time(watch):
    midbox, exporter = watch({}, {"connect": False, "roundtrip": PACE, "idle": {"timeout": "8s"}})
    until(exporter, all_held, "all connections")
    began = time.monotonic()
    midbox.cut()
    roundtrip = ("roundtrip", "network_silent", "")
    families = until(exporter, lambda families: roundtrip in drops(families), "the round trip's drop")
    print(f"cut link: the round trip counted {time.monotonic() - began:.2f} s after the fault")
    # Noticed after at most two seconds, and five to count it.
    assert time.monotonic() - began < 8
    assert incidents(families) == {}
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("network_silent", "all"): 1}
    assert drops(families) == {roundtrip: 1, ("idle", "network_silent", ""): 2}
