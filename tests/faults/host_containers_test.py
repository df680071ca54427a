"""Looks at a server's host where one of the two is in a container: namespaces of its own."""

import contextlib
import os
import subprocess

import psycopg2
import pytest

from tests.faults.host_looks import Host
from tests.support.memory_cgroup import MemoryCgroup
from tests.support.pgbox import new_directory
from tests.support.process import Unavailable, eventually

# $0: a directory; $1: a cgroup of our own to enter. The host's /proc and /sys are seen below the directory, as
# mounts of a container would show them, and /proc is that of a pid namespace.
CONTAINER = """
    set -e
    mkdir -p "$0/proc" "$0/sys"
    mount --rbind /proc "$0/proc"
    mount --rbind /sys "$0/sys"
    echo $$ >"$1/cgroup.procs"
    shift
    exec unshare --cgroup --pid --fork --kill-child --mount-proc "$@"
"""


def require_namespaces():
    words = ["unshare", "--mount", "--cgroup", "--pid", "--fork", "--mount-proc", "true"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"no container's namespaces can be had: {result.stderr.strip()}")


@pytest.fixture
def cgroups():
    """cgroups(limit) makes one in which the server or the exporter may be put."""
    with contextlib.ExitStack() as stack:

        def make(limit):
            try:
                return stack.enter_context(MemoryCgroup(limit))
            except Unavailable as reason:
                pytest.skip(str(reason))

        yield make


def test_an_exporter_in_a_container_sees_the_host_through_its_mounts(new_box, cgroups, tmp_path):
    require_namespaces()
    server = new_box()
    limit = 512 << 20
    ours, its = cgroups(1 << 30), cgroups(limit)
    postmaster = int((server.directory / "data" / "postmaster.pid").read_text().split()[0])
    its.add(postmaster)
    within = ["unshare", "--mount", "sh", "-c", CONTAINER, tmp_path, ours.directory]
    paths = [tmp_path / "proc", tmp_path / "sys", "/"]
    with contextlib.closing(server.connect()) as client:
        with Host(client, within=within, paths=paths) as host:
            look = host.look()
        assert look.postmaster == postmaster
        assert set(look.unread) <= {"kernel_log"}, look.unread
        assert look.connections("established") == 1
        # Its cgroup is beside ours, where a cgroup namespace tells no names of what is above.
        assert look.metrics.value("pgconn_host_memory_bytes", kind="cgroup_limit") == limit
        assert look.metrics.value("pgconn_host_oom_kills_total", scope="cgroup") == its.kills()

        # Its own /proc has other processes by such numbers, or none.
        with Host(client, within=within) as host:
            assert host.look().postmaster is None


def test_a_server_in_a_container_is_found_from_the_host_by_its_inner_number(new_box):
    require_namespaces()
    server = new_box()
    bin_directory = (server.directory / "box").read_text().split()[2]
    server.stop()
    # A copy: whoever stopped the original by its postmaster.pid would signal the host's process 1.
    directory = new_directory("pg-inner-")
    subprocess.run(["cp", "-a", server.directory / "data", directory / "data"], check=True)
    owner = (directory / "data").stat()
    as_owner = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--"]
    words = [*(as_owner if os.getuid() == 0 else []), f"{bin_directory}/postgres", "-D", directory / "data"]
    container = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", *words],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connected():
        try:
            return server.connect()
        except psycopg2.OperationalError:
            return None

    try:
        with contextlib.closing(eventually(connected, what="the server")) as client:
            with Host(client) as host:
                look = host.look()
            with open(f"/proc/{container.pid}/task/{container.pid}/children", encoding="ascii") as children:
                assert look.postmaster == int(children.read())
            assert client.info.backend_pid < 1000
            assert look.connections("established") == 1
            assert "cgroup" not in look.unread
    finally:
        container.kill()  # and with it, its child and that child's pid namespace
        container.wait()
        subprocess.run(["rm", "-rf", directory], check=True)
