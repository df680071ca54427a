"""Servers that run out of memory, in a cgroup of their own."""

import contextlib

import psycopg2
import pytest

from tests.support.memory_cgroup import MemoryCgroup
from tests.support.process import Unavailable, eventually

LIMIT = 96 << 20
# The value alone takes more than the limit.
GREEDY = f"SELECT length(repeat('x', {4 * LIMIT}))"


@contextlib.contextmanager
def limited_memory(server):
    """A cgroup with LIMIT of memory, with the server and all that it will start in it."""
    cgroup = MemoryCgroup(LIMIT)
    try:
        cgroup.__enter__()
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        postmaster = int((server.directory / "data" / "postmaster.pid").read_text().split()[0])
        children = open(f"/proc/{postmaster}/task/{postmaster}/children").read().split()
        cgroup.add(postmaster, *children)
        yield cgroup
    finally:
        cgroup.__exit__()


def answers(server):
    try:
        return server.psql("SELECT 1")
    except psycopg2.OperationalError:
        return None


def run_out_of_memory(server):
    """Returns the pid of the backend that was killed."""
    victim = server.connect()
    pid = victim.info.backend_pid
    with pytest.raises(psycopg2.OperationalError):
        victim.cursor().execute(GREEDY)
    eventually(lambda: answers(server), what="the server to be back")
    return pid
