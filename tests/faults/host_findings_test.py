"""Findings that need the server's host: each appears while the host is as it should not be, and no longer."""

import contextlib
import os
import subprocess

import pytest

from tests.faults.held import postmaster
from tests.integration.scenes import Session
from tests.support.exporter import Exporter, binary
from tests.support.memory_cgroup import MemoryCgroup
from tests.support.midbox import Namespace
from tests.support.process import Unavailable, eventually

MB = 1 << 20
LIMIT = 300 * MB
# $0: the directory with the files that it gets to see in place of the kernel's; then the program.
SEES_OTHERWISE = """\
#!/bin/sh
exec unshare --mount sh -c '
    mount --bind {directory}/meminfo /proc/meminfo &&
    mount --bind {directory}/overcommit /proc/sys/vm/overcommit_memory &&
    exec "$0" "$@"' {program} "$@"
"""


def watching(server):
    """An exporter beside the server, which knows already that it is."""
    return Exporter({"targets": [{"name": "beside", "dsn": server.dsn(), "host": True}]})


def until_looked(exporter):
    eventually(lambda: exporter.metrics().value("pgconn_host_readable", part="postmaster") == 1, what="a look")


def found(exporter):
    """Findings and their subjects, with severities."""
    samples = exporter.metrics().samples("pgconn_finding")
    return {(sample.labels["finding"], sample.labels["subject"]): sample.labels["severity"] for sample in samples}


def until_found(exporter, name, subject, severity="warning"):
    eventually(lambda: found(exporter).get((name, subject)) == severity, what=name)


def until_not_found(exporter, name, subject):
    eventually(lambda: (name, subject) not in found(exporter), what=f"no {name}")


def set_and_reload(server, **settings):
    with contextlib.closing(Session(server.dsn())) as session:
        for name, value in settings.items():
            session.run(f"ALTER SYSTEM SET {name} = '{value}'")
        session.run("SELECT pg_reload_conf()")


@pytest.fixture
def limited():
    """limited(server) puts it into a cgroup with LIMIT of memory."""
    with contextlib.ExitStack() as stack:
        try:
            cgroup = stack.enter_context(MemoryCgroup(LIMIT))
        except Unavailable as reason:
            pytest.skip(str(reason))

        def put(server):
            pid = postmaster(server)
            cgroup.add(pid, *open(f"/proc/{pid}/task/{pid}/children").read().split())

        yield put


def test_memory_that_sessions_and_buffers_may_take_is_compared_with_the_cgroups_limit(new_box, limited):
    server = new_box(max_connections=20, shared_buffers="128MB", work_mem="8MB")
    limited(server)
    with watching(server) as exporter:
        until_looked(exporter)
        until_found(exporter, "work_mem_times_connections", "server")
        until_found(exporter, "shared_buffers_share", "server")
        page = exporter.get("/").text
        assert "ALTER SYSTEM SET shared_buffers = &#39;75MB&#39;" in page or "'75MB'" in page
        # Neither can matter here: the kernel kills by the cgroup's limit.
        assert not {("overcommit", "host"), ("no_swap", "host")} & found(exporter).keys()

        set_and_reload(server, work_mem="4MB")  # 128 + 20 * 2 * 4 is less than 300
        until_not_found(exporter, "work_mem_times_connections", "server")
        server.stop()
        server.start(shared_buffers="64MB")
        limited(server)
        eventually(lambda: exporter.metrics().value("pgconn_host_memory_bytes", kind="cgroup_limit") == LIMIT
                   and found(exporter), what="another look")
        until_not_found(exporter, "shared_buffers_share", "server")
        assert ("work_mem_times_connections", "server") not in found(exporter)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may lower an oom_score_adj")
def test_a_postmaster_that_the_kernel_may_choose_is_a_finding_until_it_is_protected(new_box):
    server = new_box()
    score = f"/proc/{postmaster(server)}/oom_score_adj"
    with watching(server) as exporter:
        until_looked(exporter)
        for value, check in (("0", until_found), ("-900", until_not_found), ("100", until_found)):
            with open(score, "w", encoding="ascii") as file:
                file.write(value)
            check(exporter, "oom_score_unprotected", "host")


@pytest.fixture
def other_memory(tmp_path, monkeypatch):
    """other_memory(swap, overcommit) is what exporters see of the host's memory from then on, by mounts of their own."""
    wrapper = tmp_path / "exporter"
    wrapper.write_text(SEES_OTHERWISE.format(directory=tmp_path, program=binary()))
    wrapper.chmod(0o755)

    def have(swap, overcommit):
        (tmp_path / "meminfo").write_text(
            f"MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nSwapTotal: {swap} kB\nSwapFree: {swap} kB\n")
        (tmp_path / "overcommit").write_text(f"{overcommit}\n")

    have(0, 0)
    trial = subprocess.run([wrapper, "--version"], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        pytest.skip(f"no mount namespaces can be had here: {trial.stderr.strip()}")
    monkeypatch.setenv("PGCONN_EXPORTER", str(wrapper))
    return have


def test_overcommit_and_a_host_without_swap_are_findings_until_they_are_set_right(new_box, other_memory):
    server = new_box()
    with watching(server) as exporter:
        until_looked(exporter)
        until_found(exporter, "overcommit", "host", "info")
        until_found(exporter, "no_swap", "host", "info")
        other_memory(4096, 2)
        until_not_found(exporter, "overcommit", "host")
        until_not_found(exporter, "no_swap", "host")
        other_memory(0, 1)
        until_found(exporter, "overcommit", "host", "info")
        until_found(exporter, "no_swap", "host", "info")


def test_where_nobody_looks_at_the_host_there_are_no_findings_about_it(new_box):
    server = new_box(work_mem="100GB")
    with Exporter({"targets": [{"name": "far", "dsn": server.dsn()}]}) as exporter:
        names = {name for name, _ in found(exporter)}
        assert names and not names & {"work_mem_times_connections", "shared_buffers_share", "oom_score_unprotected",
                                      "overcommit", "no_swap"}


def test_keepalives_that_the_server_leaves_to_its_kernel_are_that_kernels(new_box):
    try:
        elsewhere = Namespace()
    except (OSError, Unavailable) as reason:
        pytest.skip(f"no network namespace can be had here: {reason}")
    idle, budget = "tcp_keepalives_idle", "keepalive_budget_too_long"
    try:
        with elsewhere.inside():
            server = new_box(tcp_keepalives_idle=0, tcp_keepalives_interval=0, tcp_keepalives_count=0)
            for name, value in (("time", 40), ("intvl", 10), ("probes", 5)):
                subprocess.run(["sysctl", "-q", f"net.ipv4.tcp_keepalive_{name}={value}"], check=True)
            with watching(server) as exporter:
                # Before the first look: Linux's defaults.
                assert exporter.metrics().value("pgconn_setting_seconds", name=idle) in (7200, 40)
                eventually(lambda: exporter.metrics().value("pgconn_setting_seconds", name=idle) == 40, what="40")
                families = exporter.metrics()
                assert families.value("pgconn_setting_seconds", name="tcp_keepalives_interval") == 10
                assert families.value("pgconn_setting_value", name="tcp_keepalives_count") == 5
                until_not_found(exporter, budget, "server")
                subprocess.run(["sysctl", "-q", "net.ipv4.tcp_keepalive_time=1000"], check=True)
                until_found(exporter, budget, "server")
            server.stop()
    finally:
        elsewhere.close()
