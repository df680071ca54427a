"""The golden exposition of the probes: all of them at work, a connection terminated, canaries forgotten."""

import contextlib
import time

import pytest

from tests.e2e.golden_files import expect_golden, without_values
from tests.faults.held import CANARY, ROUNDTRIP, drops, incidents, stopped
from tests.integration.scenes import by
from tests.support import exposition, logfmt
from tests.support.certificates import DAY, Authority
from tests.support.exporter import Exporter
from tests.support.midbox import SERVER_ADDRESS, far_from
from tests.support.packages import known_versions
from tests.support.process import Unavailable, eventually

# As patient as possible: a failure that only a busy machine has would be a new series. Canaries that are queried
# when another has not answered in time have then been idle for longer than a roundtrip ever is.
PROBES = {
    "connect": {"interval": "2s", "timeout": "1900ms"},
    "roundtrip": {"interval": "2s", "timeout": "1900ms"},
    "idle": {"ladder": ["1s", "3s"], "canaries": 2, "timeout": "3s"},
    "longquery": {"interval": "3s", "sleep": "1s", "timeout": "1900ms"},
    "certificate": {"interval": "2s", "timeout": "1900ms"},
    "duration_buckets": [1],
}
HELD = {"roundtrip": 1, "idle": 2}
ALL_KNOWN = {"connect": 1, "roundtrip": 1, "idle": 1, "longquery": 1, "certificate": 1}
TERMINATED = ("roundtrip", "admin_terminate", "57P01")
FORGOTTEN = ("idle", "path_idle_timeout", "")


class Far:
    """A server on another host. The test's own queries go through its socket."""

    def __init__(self, box):
        self.box = box
        self._local = {"host": box.socket_directory, "sslmode": None, "sslrootcert": None}

    def sql(self, statement):
        return self.box.psql(statement, **self._local)

    def pids(self, application):
        rows = self.sql(f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'")
        return [pid for pid, in rows]

    def hold(self, stack, name, **keywords):
        """A session that is idle: by its socket, unless the keywords say otherwise."""
        stack.enter_context(contextlib.closing(
            self.box.connect(application_name=name, **{**self._local, **keywords})))

    def reload(self):
        (before,), = self.sql("SELECT pg_conf_load_time()")
        self.sql("SELECT pg_reload_conf()")
        eventually(lambda: self.sql("SELECT pg_conf_load_time()") != [(before,)], what="the reload")


@pytest.fixture
def far(new_box):
    """A server of the newest version on another host, with much to report, and three sessions on it."""
    box = new_box(known_versions()[-1], autovacuum="off")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(far_from(box))
        except Unavailable as reason:
            pytest.skip(str(reason))
        far = Far(box)
        far.sql("CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor; SELECT pg_stat_reset();"
                "REVOKE SELECT ON pg_roles FROM PUBLIC; GRANT SELECT (oid, rolname, rolcanlogin) ON pg_roles TO PUBLIC")
        far.sql("ALTER SYSTEM SET max_connections = 99")
        far.reload()
        far.hold(stack, "batch")
        for _ in range(2):
            far.hold(stack, "web", host=SERVER_ADDRESS, sslmode="disable")
        yield far


def watch(far, crl):
    return Exporter({
        "targets": [{
            "name": "far", "dsn": far.box.dsn("monitor", host=SERVER_ADDRESS, sslmode="verify-ca"),
            "path_idle_limit": "6m", "files": [{"name": "crl", "path": str(crl)}],
            "max_connections_per_target": 8,
        }],
        "collectors": {"sessions": {"by_client": 1}},
        "probes": PROBES,
    })


def until(exporter, condition, what):
    """The text of the first scrape that meets the condition."""

    def scrape():
        text = exporter.get("/metrics").text
        return text if condition(exposition.parse(text)) else None

    return eventually(scrape, 60, what)


def all_at_work(families):
    return (by("probe", families.samples("pgconn_probe_success")) == ALL_KNOWN
            and HELD.items() <= by("probe", families.samples("pgconn_held_connections")).items()
            and families.value("pgconn_idle_canary_results_total", rung="1", result="survived") >= 1)


def whole_again(families):
    return (drops(families) == {TERMINATED: 1}
            and HELD.items() <= by("probe", families.samples("pgconn_held_connections")).items())


def all_told(families):
    return (drops(families) == {TERMINATED: 1, FORGOTTEN: 2}
            and incidents(families) == {("admin_terminate", "one"): 1, ("path_idle_timeout", "idle_only"): 1}
            and families.samples("pgconn_path_idle_limit_seconds", source="measured")
            and families.samples("pgconn_idle_dropped_seconds")
            and ALL_KNOWN == by("probe", families.samples("pgconn_probe_success")))


def test_the_exposition_of_all_probes_after_losses_of_two_kinds_is_the_golden_one(far, tmp_path):
    crl = Authority(tmp_path / "root", "Root").revocation_list(time.time() + 7 * DAY)
    with watch(far, crl) as exporter, contextlib.ExitStack() as frozen:
        until(exporter, all_at_work, "all probes at work")
        far.sql(f"SELECT pg_terminate_backend({far.pids(ROUNDTRIP)[0]})")
        eventually(lambda: logfmt.records(exporter.log_lines, "connections were lost"), what="the first incident")
        until(exporter, whole_again, "all held again")
        # Two that go silent at once, while a busy one answers, are what a forgetful path looks like.
        for pid in far.pids(CANARY):
            frozen.enter_context(stopped(pid))
        text = until(exporter, all_told, "the second incident")
    expect_golden("probes.txt", without_values(text))
