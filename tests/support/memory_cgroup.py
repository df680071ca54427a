"""A cgroup with a memory limit, in which a server can run out of memory without harming anything else."""

import contextlib
import itertools
import os
import re
from pathlib import Path

from tests.support.process import Unavailable, eventually


_numbers = itertools.count()


def _mounts():
    """(type, superblock options, root, mount point) of each cgroup file system."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind.startswith("cgroup"):
            yield kind, options.split(","), before.split()[3], Path(before.split()[4])


def _own_path(controllers):
    """This process's path in a hierarchy: that of "memory" in version 1, of "" in version 2."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controllers in names.split(","):
            return path
    raise Unavailable("this process is in no memory cgroup")


def _directory(root, mount, path):
    relative = os.path.relpath(path, root)
    if relative.startswith(".."):
        raise Unavailable(f"this process's cgroup {path} is not visible at {mount}")
    return mount / relative


class MemoryCgroup:
    """A cgroup below our own (version 1) or beside it (version 2, where ours holds processes), so that
    our own limits apply to it too. A context manager; Unavailable if it cannot be made."""

    def __init__(self, limit):
        self._limit = limit
        self.directory = None

    def __enter__(self):
        try:
            self._make()
        except OSError as error:
            self.__exit__()
            raise Unavailable(f"no memory cgroup can be made here: {error}") from error
        return self

    def _make(self):
        mounts = list(_mounts())
        name = f"pgconn-test-{os.getpid()}-{next(_numbers)}"
        for kind, options, root, mount in mounts:
            if kind == "cgroup" and "memory" in options:
                self._home = _directory(root, mount, _own_path("memory"))
                self.version, parent, limit = 1, self._home, "memory.limit_in_bytes"
                break
        else:
            for kind, _, root, mount in mounts:
                if kind == "cgroup2":
                    self._home = _directory(root, mount, _own_path(""))
                    self.version, parent, limit = 2, self._home.parent, "memory.max"
                    if self._home == mount or "memory" not in (parent / "cgroup.subtree_control").read_text().split():
                        raise Unavailable(f"{parent} gives its children no memory controller")
                    break
            else:
                raise Unavailable("no cgroup file system is mounted")
        directory = parent / name
        directory.mkdir()
        self.directory = directory
        (directory / limit).write_text(str(self._limit))
        # With swap the server would not be killed, only slowed down.
        swap = directory / ("memory.memsw.limit_in_bytes" if self.version == 1 else "memory.swap.max")
        if swap.exists():
            swap.write_text(str(self._limit if self.version == 1 else 0))

    def add(self, *pids):
        """Moves processes in; their later children start in it."""
        for pid in pids:
            (self.directory / "cgroup.procs").write_text(str(pid))

    def processes(self):
        return [int(pid) for pid in (self.directory / "cgroup.procs").read_text().split()]

    def kills(self):
        """The count in the kernel's own file."""
        file = "memory.oom_control" if self.version == 1 else "memory.events"
        return int(re.search(r"^oom_kill (\d+)$", (self.directory / file).read_text(), re.MULTILINE)[1])

    def _emptied(self):
        for pid in self.processes():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                (self._home / "cgroup.procs").write_text(str(pid))
        with contextlib.suppress(OSError):  # a new child was started meanwhile
            self.directory.rmdir()
        return not self.directory.exists()

    def __exit__(self, *_):
        if self.directory is not None:
            eventually(self._emptied, what=f"{self.directory} to be empty")
            self.directory = None
