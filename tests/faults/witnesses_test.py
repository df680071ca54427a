"""What an exporter makes of the server's log and its host: metrics, and evidence for incidents."""

import pytest

from tests.e2e.families_test import WITNESSES, declared
from tests.faults.held import FAST, drops, incidents
from tests.faults.memory import limited_memory, run_out_of_memory
from tests.integration.scenes import by
from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.process import eventually

PREFIX = "%m [%p] %e %a %u@%d %h "  # as PgBox sets it


@pytest.fixture(scope="module", params=[13, "newest"], ids=["oldest", "newest"])
def box(request):
    """A small server to be broken, of the oldest and the newest version."""
    from tests.support.packages import known_versions
    from tests.support.pgbox import PgBox
    from tests.support.process import Unavailable

    versions = known_versions()
    wanted = versions[:1] if request.param == 13 else reversed(versions)
    for version in wanted:
        with PgBox(version) as box:
            try:
                box.start(max_connections=20, shared_buffers="16MB")
            except Unavailable:
                continue
            yield box
            return
    pytest.skip("no such PostgreSQL can be had here")


def watching(box, **target):
    """An exporter with fast probes at this server, and what else the target has."""
    return Exporter({"targets": [{"name": "watched", "dsn": box.dsn(), **target}], "probes": FAST})


def log_of(box, **more):
    return {"server_log": {"files": [str(box.directory / "log")], "line_prefix": PREFIX, **more}}


def until_whole(exporter):
    """Waits until all connections are held, and a scrape has seen the server."""

    def whole():
        families = exporter.metrics()
        held = by("probe", families.samples("pgconn_held_connections"))
        return {"roundtrip": 1, "idle": 2}.items() <= held.items() and families.value("pgconn_up") == 1

    eventually(whole, what="all held connections")


def the_incident(exporter):
    records = eventually(
        lambda: logfmt.records(exporter.log_lines, "connections were lost"), what="an incident in the log"
    )
    assert len(records) == 1, records
    return records[0]


def counted(exporter, event):
    return exporter.metrics().sum("pgconn_log_events_total", event=event)


def test_a_terminate_is_in_the_log_and_in_the_incident(box):
    with watching(box, **log_of(box)) as exporter:
        until_whole(exporter)
        assert counted(exporter, "admin_terminate") == 0
        box.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'pgconn_exporter/roundtrip'"
        )
        record = the_incident(exporter)
        assert record["cause"] == "admin_terminate"
        assert "the server's log says: it was terminated by an administrator" in record["because"]
        eventually(lambda: counted(exporter, "admin_terminate") == 1, what="the event")
        assert incidents(exporter.metrics()) == {("admin_terminate", "one"): 1}


def test_a_restart_is_told_by_the_log_as_well(box):
    with watching(box, **log_of(box)) as exporter:
        until_whole(exporter)
        box.stop("fast")
        box.start()
        record = the_incident(exporter)
        assert (record["cause"], record["scope"]) == ("server_shutdown", "all"), record
        assert "the server's log says: a fast shutdown was requested" in record["because"]


def test_counts_go_on_after_a_restart_of_the_exporter_and_nothing_is_lost_meanwhile(box, tmp_path):
    state = log_of(box, state_file=str(tmp_path / "watched.state"))

    def refuse():
        with pytest.raises(Exception, match="nobody"):
            box.connect("nobody")

    with watching(box, **state) as exporter:
        until_whole(exporter)
        refuse()
        eventually(lambda: exporter.metrics().sum("pgconn_log_refused_logins_total") == 1, what="the refusal")
    refuse()
    with watching(box, **state) as exporter:
        eventually(lambda: exporter.metrics().sum("pgconn_log_refused_logins_total") == 2, what="both refusals")
        refuse()
        eventually(lambda: exporter.metrics().sum("pgconn_log_refused_logins_total") == 3, what="all refusals")


def test_a_log_that_cannot_be_read_is_told_once_and_harms_nothing_else(box):
    missing = {"server_log": {"files": ["/nowhere/postgresql.log"]}}
    with watching(box, **missing) as exporter:
        until_whole(exporter)
        eventually(
            lambda: exporter.metrics().value("pgconn_log_troubles_total", reason="missing") == 1, what="the trouble"
        )
        for _ in range(3):
            exporter.metrics()
        records = logfmt.records(exporter.log_lines, "the server's log cannot be read as it should")
        assert [record["reason"] for record in records] == ["missing"]
        assert "/nowhere/postgresql.log" in records[0]["error"]


def test_a_host_is_looked_at_if_the_server_runs_on_it(box):
    with watching(box, host=True) as exporter:
        until_whole(exporter)

        def seen():
            families = exporter.metrics()
            return families if families.samples("pgconn_host_tcp_connections", state="established") else None

        families = eventually(seen, what="the host's sockets")
        ours = families.value("pgconn_host_tcp_connections", state="established")
        assert ours >= 4  # three that are held, and the collection's
        assert families.samples("pgconn_host_postmaster_oom_score_adj")
        assert families.value("pgconn_host_readable", part="postmaster") == 1


def test_log_and_host_show_families_as_they_are_declared(box):
    with watching(box, host=True, **log_of(box)) as exporter:
        until_whole(exporter)
        box.psql("SELECT 1")  # a session that ends
        families = eventually(
            lambda: (seen := exporter.metrics()).samples("pgconn_host_tcp_connections")
            and seen.samples("pgconn_log_session_duration_seconds_count") and seen,
            what="both",
        )
        known = declared()
        shown = {name for name in families if name.startswith(WITNESSES)}
        assert len(shown) > 20
        for name in shown:
            kind, labels = known[name]
            assert families[name].type == kind, name
            assert set(families[name].label_names()) - {"target", "le"} == labels, name
        log = {name for name in known if name.startswith("pgconn_log_")}
        assert log - shown <= {"pgconn_log_login_duration_seconds"}  # 18 and later, if they are told to log it


def test_an_oom_kill_is_the_cause_of_an_incident(new_box):
    server = new_box(max_connections=20, shared_buffers="16MB")
    with limited_memory(server), watching(server, host=True, **log_of(server)) as exporter:
        until_whole(exporter)
        eventually(
            lambda: exporter.metrics().samples("pgconn_host_oom_kills_total", scope="cgroup"), what="the cgroup"
        )
        run_out_of_memory(server)
        record = the_incident(exporter)
        assert (record["cause"], record["scope"]) == ("oom_kill", "all"), record
        assert "the kernel counted an OOM kill" in record["because"]
        families = exporter.metrics()
        assert {cause for _, cause, _ in drops(families)} == {"oom_kill"}
        assert incidents(families) == {("oom_kill", "all"): 1}
        eventually(
            lambda: exporter.metrics().value("pgconn_host_oom_kills_total", scope="cgroup") >= 1, what="the kill"
        )
