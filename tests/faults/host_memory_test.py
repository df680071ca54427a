"""A server that runs out of memory: what its host's counters and the kernel's log tell of the kill."""

import os
import time

import pytest

from tests.faults.host_looks import Host
from tests.faults.memory import LIMIT, answers, limited_memory, run_out_of_memory
from tests.support.process import eventually

# Where the kernel's log and /proc number processes alike.
IN_OUTERMOST_PID_NAMESPACE = os.readlink("/proc/self/ns/pid") == "pid:[4026531836]"


@pytest.fixture
def server(new_box):
    return new_box(max_connections=20, shared_buffers="16MB")


@pytest.fixture
def limited(server):
    """A cgroup with LIMIT of memory, with the server and all that it will start in it."""
    with limited_memory(server) as cgroup:
        yield cgroup


def test_an_oom_kill_in_the_servers_cgroup_is_counted_and_convicts(server, limited):
    witness = server.connect()
    with Host(witness) as host:
        before = host.look()
        assert before.metrics.value("pgconn_host_memory_bytes", kind="cgroup_limit") == LIMIT
        assert before.metrics.value("pgconn_host_oom_kills_total", scope="cgroup") == 0
        began = time.time()
        victim = run_out_of_memory(server)
        after = host.look()

    kills = limited.kills()
    assert kills >= 1
    assert after.postmaster == before.postmaster
    assert after.metrics.value("pgconn_host_oom_kills_total", scope="cgroup") == kills
    in_host = "pgconn_host_oom_kills_total"
    assert (after.metrics.value(in_host, scope="host") - before.metrics.value(in_host, scope="host")) >= kills
    assert after.evidence["in_cgroup"] == kills
    assert after.evidence["server_was_oom_killed"] is True

    if "kernel_log" in after.unread:
        pytest.skip(f"the counters are right, but {after.unread['kernel_log']}")
    told = after.evidence["of_postgres"]
    # Without that, those of other servers on this machine may be among them.
    if os.readlink("/proc/self/ns/cgroup") == "cgroup:[4026531835]":
        assert len(told) == kills
    assert all(kill["task"] == "postgres" and kill["by_cgroup"] for kill in told)
    assert all(began - 2 <= kill["time"] <= time.time() + 2 for kill in told)
    assert after.metrics.value("pgconn_host_oom_killed_postgres_total") >= kills
    if IN_OUTERMOST_PID_NAMESPACE:
        assert victim in [kill["pid"] for kill in told]


def test_a_crash_without_want_of_memory_is_acquitted(server, limited):
    witness = server.connect()
    with Host(witness) as host:
        host.look()
        server.kill_backend(witness.info.backend_pid)
        eventually(lambda: answers(server), what="the server to be back")
        after = host.look()
    assert after.evidence["in_cgroup"] == 0
    assert after.evidence["server_was_oom_killed"] is False


def test_kills_are_told_without_the_right_to_read_the_kernels_log(server, limited):
    witness = server.connect()  # kept: its backend leads to the postmaster
    with Host(witness, user=65534) as host:
        before = host.look()
        assert set(before.unread) <= {"kernel_log"}, before.unread
        run_out_of_memory(server)
        after = host.look()
    assert set(after.unread) <= {"kernel_log"}, after.unread
    assert after.evidence["in_cgroup"] == limited.kills() >= 1
    assert after.evidence["server_was_oom_killed"] is True
