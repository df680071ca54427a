"""Data directories as initdb makes them, copied from one that is kept: initdb takes two seconds of CPU time, and the
tests start hundreds of servers."""

import os
import secrets
import shutil
import struct
import subprocess
import time
from pathlib import Path

from tests.support.packages import cache, kept

_LONGEST = 120  # seconds of a copy
_WAL_SEGMENT = "[0-9A-F]" * 24
_IN_WAL = 24  # where the header of a segment's first page has the system identifier


def make(version, server, user, initdb, data):
    """Makes the directory `data`: a cluster of its own, with its own system identifier.

    `server` is the program that will run it; `initdb(directory)` makes an original as `user` (of the module pwd; None:
    ourselves), and is called only if none is kept for this very program.
    """
    owner = user.pw_uid if user else os.getuid()
    program = server.stat()
    family = f"pg{version}-of-{owner}"
    root = cache() / "clusters" / f"{family}-{program.st_mtime_ns}-{program.st_size}"

    def fill(directory):
        for other in directory.parent.glob(f"{family}-*"):
            if other != directory and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)  # of a program that is no longer there
        if user:
            os.chown(directory, user.pw_uid, user.pw_gid)
        initdb(directory / "data")

    original = kept(root, f"a cluster of PostgreSQL {version}", fill) / "data"
    subprocess.run(["cp", "-a", "--reflink=auto", str(original), str(data)], check=True, timeout=_LONGEST)
    _identify(data, int(time.time()) << 32 | secrets.randbits(32))


def _identify(data, identifier):
    """Gives a cluster that never ran this system identifier: in its control file, and in its write-ahead log."""
    identifier = struct.pack("=Q", identifier)
    control = Path(data, "global", "pg_control")
    before = control.read_bytes()
    end = next(end for end, checksum in _checksums(before) if before[end:end + 4] == checksum)
    after = identifier + before[len(identifier):]
    checksum = next(checksum for at, checksum in _checksums(after) if at == end)
    with control.open("r+b") as file:  # keeps its owner
        file.write(after[:end] + checksum + after[end + 4:])
    for segment in Path(data, "pg_wal").glob(_WAL_SEGMENT):
        with segment.open("r+b") as file:
            file.seek(_IN_WAL)
            file.write(identifier)


def _checksums(content):
    """(length, CRC-32C of the first bytes up to there) for each length: where the checksum is differs by version."""
    crc = 0xFFFFFFFF
    for length, byte in enumerate(content, 1):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        yield length, struct.pack("=I", crc ^ 0xFFFFFFFF)
