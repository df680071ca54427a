"""The test support itself: what other tests rely on."""

import math
import os
import signal
import sys
import tempfile

import psycopg2
import pytest

from tests.support import exposition, pgbox, prometheus
from tests.support.process import REPOSITORY, Process, StartsOnEntry, eventually, processes_naming

GOOD = """\
# HELP a A \\\\ with a\\nnewline.
# TYPE a gauge
a{x="q\\"uo\\\\te\\n",y="é"} 1
a{x="other"} -2.5e3
# TYPE h histogram
h_bucket{le="+Inf"} 1
h_sum NaN
h_count 1
"""


def test_an_exposition_is_read_with_its_escapes():
    families = exposition.parse(GOOD)
    assert families["a"].help == "A \\ with a\nnewline."
    assert families.value("a", y="é") == 1
    assert families.samples("a", y="é")[0].labels["x"] == 'q"uo\\te\n'
    assert families.sum("a") == -2499
    assert families["h"].type == "histogram" and len(families["h"].samples) == 3
    assert math.isnan(families.value("h_sum"))
    assert families.value("nothing") is None


@pytest.mark.parametrize("text, complaint", [
    ("a 1", "newline"),
    ("a 1\na 2\n", "series twice"),
    ("a 1\nb 1\na{x=\"1\"} 2\n", "continued after another"),
    ("# TYPE a gauge\n# TYPE a gauge\n", "TYPE twice"),
    ("a 1\n# TYPE a gauge\n", "TYPE after samples"),
    ("# TYPE a number\n", "unknown type"),
    ("a{x=\"1\",x=\"2\"} 1\n", "label x twice"),
    ("a{x=\"\\t\"} 1\n", "bad labels"),
    ("a{x=1} 1\n", "bad labels"),
    ("a Nan\n", "bad value"),
    ("1a 1\n", "bad metric name"),
])
def test_a_bad_exposition_is_refused(text, complaint):
    with pytest.raises(exposition.ExpositionError, match=complaint):
        exposition.parse(text)


def test_a_box_verifies_as_itself_over_tls_and_serves_plain_and_unix_clients(box):
    assert int(box.psql("SHOW server_version_num")[0][0]) // 10000 == box.version
    is_tls = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert box.psql(is_tls) == [(True,)]
    assert box.psql(is_tls, sslmode="disable") == [(False,)]
    assert box.psql(is_tls, host=box.socket_directory, sslmode=None) == [(False,)]


def test_each_box_is_a_cluster_of_its_own_though_initdb_ran_once_for_all(new_box, box):
    def identity(server):
        [(identifier, database, is_recovering)] = server.psql(
            "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = 'postgres'), pg_is_in_recovery()"
            " FROM pg_control_system()")
        assert not is_recovering
        return identifier, database

    one, another = identity(box), identity(new_box(box.version))
    assert one[0] != another[0] and one[1] == another[1]


def test_lines_of_hba_come_first_and_can_be_taken_back(box):
    box.psql("CREATE ROLE locked LOGIN PASSWORD 'secret'")
    try:
        box.hba("host all locked 127.0.0.1/32 scram-sha-256")
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            box.psql("SELECT 1", role="locked", password="wrong")
        assert box.psql("SELECT 1", role="locked", password="secret") == [(1,)]
        box.hba()
        assert box.psql("SELECT 1", role="locked") == [(1,)]
    finally:
        box.psql("DROP ROLE locked")


def test_a_standby_follows_its_primary(new_box):
    primary = new_box()
    standby = new_box(standby_of=primary)
    assert standby.psql("SELECT pg_is_in_recovery()") == [(True,)]
    primary.psql("CREATE TABLE arrived ()")
    eventually(lambda: standby.psql("SELECT to_regclass('arrived')::text") == [("arrived",)])


def test_killing_a_backend_restarts_the_server_and_a_restart_keeps_port_and_settings(new_box):
    server = new_box(work_mem="7MB")
    port, victim = server.port, server.connect()
    server.kill_backend(victim.info.backend_pid)
    # Not earlier: PostgreSQL 18 ignores a fast shutdown that arrives at the end of recovery.
    eventually(lambda: server.log_count("ready to accept connections") == 2)
    assert server.log_count("all server processes terminated; reinitializing") == 1
    server.stop()
    server.start()
    assert server.port == port and server.psql("SHOW work_mem") == [("7MB",)]


def test_prometheus_scrapes_and_answers_queries():
    with prometheus.Prometheus({"self": 0}) as server:
        assert server.query("vector(7)") == [({}, 7.0)]
        eventually(lambda: server.value('up{job="self"}') == 0)
        with pytest.raises(ValueError, match="parse error"):
            server.query("sum(")


def test_promtool_tells_good_from_bad_metrics():
    assert prometheus.promtool("check", "metrics", stdin='# HELP things Some.\n# TYPE things gauge\nthings 1\n') == (0, "")
    status, output = prometheus.promtool("check", "metrics", stdin="a_total 1\n")
    assert status != 0 and "help" in output


def test_a_program_whose_start_is_interrupted_is_ended():
    class Interrupted(StartsOnEntry):
        process = None

        def _has_started(self):
            return self.process is not None

        def start(self):
            self.process = Process(["sleep", "600"])
            raise KeyboardInterrupt

        def __exit__(self, *_):
            self.process.terminate()

    program = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        program.__enter__()
    assert program.process.returncode is not None


def test_a_server_lives_in_tmp_when_tmpdir_is_ones_own_or_deep(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("deep" * 30)))
    (tmp_path / ("deep" * 30)).mkdir()
    directory = pgbox.new_directory("pg-")
    try:
        assert str(directory.parent) == "/tmp" and directory.stat().st_mode & 0o777 == 0o755
    finally:
        directory.rmdir()


def test_a_run_that_is_cancelled_takes_its_servers_down():
    with tempfile.TemporaryDirectory(prefix="run", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        run = Process([sys.executable, "-m", "pytest", __file__, "-k", "standby"], cwd=REPOSITORY,
                      env={**os.environ, "TMPDIR": directory})
        try:
            # During its start, when nothing can stop it properly yet.
            eventually(lambda: processes_naming(f"postgres -D {directory}"), 300, "a server")
        finally:
            run.signal(signal.SIGTERM)
            status = run.wait(60)
        assert status == 2, run.log_tail()  # pytest: interrupted by the user
        eventually(lambda: not processes_naming(directory), 10, "the end of its servers")
        assert os.listdir(directory) == []
