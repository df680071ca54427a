"""What a middlebox on the path does to held connections, and what the exporter makes of it."""

import pytest

from tests.faults.far import (
    FAR, PACE, SHORT_LADDER, all_held, counted, drops, held, incidents, until, until_settled,
)
from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.process import eventually

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("strangers", ["drop", "reset"])
def test_the_ladder_brackets_what_the_path_forgets_and_only_canaries_fall(watch, strangers):
    limit = 3
    _, exporter = watch(
        {"forgets_after": limit, "strangers": strangers},
        {"connect": PACE, "roundtrip": PACE,
         "idle": {"ladder": ["1s", "2s", "4s", "8s"], "canaries": 2, "timeout": "1s"}},
    )

    def bracket(families):
        return (families.value("pgconn_idle_survived_seconds"),
                families.value("pgconn_idle_dropped_seconds"))

    def is_narrow(families):
        survived, dropped = bracket(families)
        return survived and dropped and dropped - survived <= 0.6

    families = until(exporter, is_narrow, "a narrow bracket")
    survived, dropped = bracket(families)
    # The flow's last packet, an acknowledgement, comes a little after the answer.
    assert survived <= limit + 0.3
    assert dropped >= limit - 0.1
    assert families.value("pgconn_path_idle_limit_seconds", source="measured") == survived
    # The server's keepalive comes after the path has forgotten: that limit did not have to be configured.
    assert families.value("pgconn_finding", finding="keepalive_slower_than_path", subject="server") == 1

    # The first one that merely goes unanswered, alone, could have met a process that is stuck.
    told, results = drops(families), counted(families, "pgconn_idle_canary_results_total", "result")
    unsure = told.pop(("idle", "unknown", ""), 0)
    assert unsure <= (1 if strangers == "drop" else 0)
    assert results.get(("inconclusive",), 0) == unsure
    assert set(told) == {("idle", "path_idle_timeout", "")}
    assert set(incidents(families)) - {("unknown", "one")} == {("path_idle_timeout", "idle_only")}
    assert families.value("pgconn_idle_canary_results_total", rung="4", result="dropped") >= 1
    assert counted(families, "pgconn_probe_failures_total", "probe").keys() == {("idle",)}


def test_a_query_that_is_silent_for_too_long_falls_like_an_idle_connection(watch):
    _, exporter = watch(
        {"forgets_after": 3},
        {"roundtrip": PACE, "longquery": {"interval": "9s", "sleep": "6s", "timeout": "1s"}},
    )
    idle_only = ("path_idle_timeout", "idle_only")
    families = until(exporter, lambda families: idle_only in incidents(families), "an incident of the path")
    # The first that goes unanswered, alone, could have met a process that is stuck.
    assert drops(families) == {("longquery", "unknown", ""): 1, ("longquery", "path_idle_timeout", ""): 1}
    assert incidents(families) == {("unknown", "one"): 1, idle_only: 1}
    assert counted(families, "pgconn_probe_failures_total", "probe").keys() == {("longquery",)}
    # What canaries measure is theirs.
    assert families.samples("pgconn_idle_dropped_seconds") == []


def test_keepalives_keep_a_connection_alive_that_the_path_would_forget(watch):
    _, exporter = watch(
        {"forgets_after": 2},
        {"connect": False, "idle": False, "roundtrip": {"interval": "3s", "timeout": "1s"}},
        # After its first probe the kernel waits for the interval, not for the idle time.
        {"kept": "keepalives_idle=1 keepalives_interval=1", "bare": ""},
    )
    families = until(
        exporter,
        lambda families: families.value("pgconn_probe_attempts_total", target="kept") >= 4
        and families.sum("pgconn_probe_failures_total", target="bare") >= 2,
        "four round trips kept alive",
    )
    assert families.sum("pgconn_probe_failures_total", target="kept") == 0


def test_a_link_that_is_cut_takes_all_and_its_silence_is_reported(watch):
    midbox, exporter = watch(
        {}, {"connect": PACE, "roundtrip": PACE, "idle": SHORT_LADDER}
    )
    assert drops(until_settled(exporter)) == {}

    midbox.cut()
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("network_silent", "all"): 1}
    assert drops(families) == {
        ("roundtrip", "network_silent", ""): 1, ("idle", "network_silent", ""): 2,
    }
    assert families.samples("pgconn_idle_dropped_seconds") == []

    midbox.mend()
    families = until_settled(exporter)
    assert incidents(families) == {("network_silent", "all"): 1}


def test_a_link_that_is_cut_is_noticed_by_the_keepalives_of_a_session_that_is_not_queried(watch):
    midbox, exporter = watch(
        {},
        {"connect": False, "idle": False, "roundtrip": {"interval": "15s", "timeout": "5s"}},
        {"far": "keepalives_idle=1 keepalives_interval=1 keepalives_count=2"},
    )
    until(exporter, lambda families: held(families) == {("roundtrip",): 1}, "the connection")
    midbox.cut()
    families = until(exporter, incidents, "an incident")
    assert drops(families) == {("roundtrip", "network_silent", ""): 1}
    [told] = eventually(lambda: logfmt.records(exporter.log_lines, "connections were lost"), what="the log")
    assert told["phase"] == "idle" and told["reason"] == "timeout" and "timed out" in told["error"]


def test_a_link_that_is_cut_takes_all_at_once_however_long_canaries_would_be_idle(watch):
    midbox, exporter = watch({}, {"connect": PACE, "roundtrip": PACE, "idle": {"timeout": "1s"}})
    until(exporter, all_held, "all connections")
    midbox.cut()
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("network_silent", "all"): 1}
    assert drops(families) == {
        ("roundtrip", "network_silent", ""): 1, ("idle", "network_silent", ""): 2,
    }
    midbox.mend()
    families = until(exporter, all_held, "all connections again")
    assert incidents(families) == {("network_silent", "all"): 1}
    assert counted(families, "pgconn_idle_canary_results_total", "rung", "result") == {
        ("30", "inconclusive"): 2
    }


def test_a_canary_that_the_path_has_forgotten_as_well_is_lost_with_the_one_that_was_queried(watch):
    _, exporter = watch(
        {"forgets_after": 2, "strangers": "reset"},
        {"connect": False, "roundtrip": PACE,
         "idle": {"ladder": ["6s", "1h"], "canaries": 2, "timeout": "1s"}},
    )
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("path_idle_timeout", "idle_only"): 1}
    assert drops(families) == {("idle", "path_idle_timeout", ""): 2}


@pytest.mark.parametrize("strangers", ["drop", "reset"])
def test_a_server_that_stops_also_takes_the_canaries_that_cannot_hear_of_it(far_server, strangers):
    _, server = far_server(forgets_after=2, strangers=strangers)
    probes = {"connect": False, "roundtrip": PACE, "idle": {"ladder": ["1h"], "canaries": 2, "timeout": "1s"}}
    with Exporter({"targets": [{"name": "far", "dsn": server.dsn(**FAR)}], "probes": probes}) as exporter:
        asked = until(exporter, all_held, "all connections").value("pgconn_probe_attempts_total", probe="roundtrip")
        # One a second: the canaries have been silent for longer than the path remembers.
        until(exporter, lambda families: families.value("pgconn_probe_attempts_total", probe="roundtrip") >= asked + 4,
              "four more round trips")
        server.stop()
        families = until(exporter, incidents, "an incident")
        assert incidents(families) == {("server_shutdown", "all"): 1}
        assert drops(families) == {
            ("roundtrip", "server_shutdown", "57P01"): 1, ("idle", "server_shutdown", ""): 2,
        }


def test_a_router_that_resets_every_flow_is_distinguished_from_one_that_forgets_idle_ones(watch):
    midbox, exporter = watch(
        {"strangers": "reset"}, {"connect": PACE, "roundtrip": PACE, "idle": SHORT_LADDER}
    )
    assert drops(until_settled(exporter)) == {}

    midbox.forget_all()
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("network_reset", "all"): 1}
    assert drops(families) == {
        ("roundtrip", "network_reset", ""): 1, ("idle", "network_reset", ""): 2,
    }
    assert families.samples("pgconn_idle_dropped_seconds") == []
    assert incidents(until_settled(exporter)) == {("network_reset", "all"): 1}


def test_a_router_that_forgets_every_flow_and_drops_what_it_does_not_know_is_a_silent_network(watch):
    # Canaries that wait for longer than a new session takes: one that gave up before it began could have met a pause.
    canaries = {"ladder": ["1h"], "canaries": 2, "timeout": "3s"}
    midbox, exporter = watch({}, {"connect": PACE, "roundtrip": PACE, "idle": canaries})
    until(exporter, lambda families: all_held(families) and families.value("pgconn_up") == 1, "all connections")

    midbox.forget_all()  # new ones pass
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("network_silent", "all"): 1}
    assert drops(families) == {
        ("roundtrip", "network_silent", ""): 1, ("idle", "network_silent", ""): 2,
    }
    assert families.samples("pgconn_idle_dropped_seconds") == []


def test_a_long_query_that_cannot_answer_does_not_hide_a_router_that_resets_all(watch):
    long = {"interval": "10s", "sleep": "8s", "timeout": "1s"}
    midbox, exporter = watch(
        {"strangers": "reset"}, {"connect": PACE, "roundtrip": PACE, "idle": SHORT_LADDER, "longquery": long}
    )
    whole = {("roundtrip",): 1, ("idle",): 2, ("longquery",): 1}
    until(exporter, lambda families: held(families) == whole and families.value("pgconn_up") == 1, "all connections")
    midbox.forget_all()
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("network_reset", "all"): 1}


def test_the_successor_of_a_lost_connection_is_no_witness_of_what_survived(watch):
    midbox, exporter = watch(
        {"strangers": "reset"},
        {"connect": False, "roundtrip": False, "idle": {**SHORT_LADDER, "canaries": 1}},
    )
    until(
        exporter,
        lambda families: families.value("pgconn_idle_survived_seconds") == 1,
        "a canary on the last rung",
    )
    midbox.forget_all()
    families = until(exporter, incidents, "an incident")
    assert incidents(families) == {("unknown", "one"): 1}
    assert families.samples("pgconn_idle_dropped_seconds") == []


def sessions(server, purpose):
    """Sessions of ours with this purpose that the server has."""
    (count,), = server.psql("SELECT count(*) FROM pg_stat_activity"
                            f" WHERE application_name = 'pgconn_exporter/{purpose}'", **FAR)
    return count


def test_sessions_left_on_the_server_by_a_link_that_was_cut_are_ended_once_it_is_fixed(far_server):
    midbox, server = far_server()
    probes = {"connect": False, "roundtrip": PACE, "idle": {"canaries": 2, "timeout": "1s"}}
    with Exporter({"targets": [{"name": "far", "dsn": server.dsn(**FAR)}], "probes": probes}) as exporter:
        until(exporter, all_held, "all connections")
        midbox.cut()
        until(exporter, incidents, "an incident")
        midbox.forget_all()  # our closing message does not arrive later either
        midbox.mend()
        until(exporter, all_held, "all connections again")
        eventually(lambda: (sessions(server, "roundtrip"), sessions(server, "idle")) == (1, 2),
                   what="no more sessions than are held")


def test_sessions_left_on_the_server_by_forgotten_canaries_are_ended(far_server):
    _, server = far_server(forgets_after=2)
    probes = {"roundtrip": PACE, "idle": {"ladder": ["4s"], "canaries": 2, "timeout": "1s"}}
    with Exporter({"targets": [{"name": "far", "dsn": server.dsn(**FAR)}], "probes": probes}) as exporter:
        until(exporter, lambda families: sum(drops(families).values()) >= 4, "four canaries lost")
        eventually(lambda: sessions(server, "idle") <= 2, what="no more sessions than canaries")
        causes = {cause for _, cause, _ in drops(exporter.metrics())}
        assert "path_idle_timeout" in causes and causes <= {"path_idle_timeout", "unknown"}
