"""Looks at the host of a server, through the driver host_looks.cc: what the library makes of it."""

import contextlib
import json
import subprocess
from pathlib import Path

from tests.support.exporter import binary
from tests.support.exposition import parse

_CLAIMS = """
    SELECT inet_server_port(), pid, extract(epoch FROM backend_start),
           extract(epoch FROM pg_postmaster_start_time()), host(inet_client_addr()), host(inet_server_addr())
    FROM pg_stat_activity WHERE pid = pg_backend_pid()"""
_LONGEST = 60  # seconds; a look has five


class Look:
    """One look: `metrics` as an Exposition, `unread`, `evidence` since the look before, `postmaster`."""

    def __init__(self, told):
        self.metrics = parse(told["metrics"])
        self.unread = told["unread"]
        self.evidence = told.get("evidence")
        self.postmaster = told["postmaster"]
        self.seconds = told["seconds"]

    def connections(self, state):
        return self.metrics.value("pgconn_host_tcp_connections", state=state)


class Host:
    """The host of a server, looked at again and again. A context manager.

    `connection`, a psycopg2 one over TCP, is the session whose backend proves where the server is; it may be
    gone once that has been found. `within` are the first words of the command line, `paths` those of procfs,
    sysfs and rootfs. `claims` replaces what the server says: port, pid, start, postmaster_start, own, peer.
    """

    def __init__(self, connection, paths=(), user=None, within=(), **claims):
        with connection.cursor() as cursor:
            cursor.execute(_CLAIMS)
            names = ("port", "pid", "start", "postmaster_start", "own", "peer")
            told = dict(zip(names, cursor.fetchone(), strict=True)) | claims
        driver = Path(binary()).parents[1] / "tests" / "faults" / "host_looks"
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"] if user else []
        words = [*within, *as_user, driver, *(told[name] for name in names), *paths]
        self._driver = subprocess.Popen([str(word) for word in words], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def look(self):
        self._driver.stdin.write("\n")
        self._driver.stdin.flush()
        line = self._driver.stdout.readline()
        assert line, f"host_looks ended with {self._driver.wait(_LONGEST)}"
        return Look(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._driver.stdin.close()
        try:
            status = self._driver.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()
            raise
        finally:
            self._driver.stdout.close()
        assert status == 0, "host_looks failed"
