"""A real PgBouncer from a distribution's package, in front of a PgBox, run for a test."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg2

from tests.support.process import Process, eventually, free_port

_DEBBOX = Path(__file__).with_name("debbox.sh")

# The oldest that is in wide use, and the newest.
SUITES = ("bookworm", "sid")


class Unavailable(Exception):
    """PgBouncer cannot be had here; the message says why."""


def _binary(suite):
    result = subprocess.run(
        ["bash", str(_DEBBOX), suite, "pgbouncer"], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise Unavailable(result.stderr.strip())
    return Path(result.stdout.strip()) / "usr/sbin/pgbouncer"


class PgBouncer:
    """Listens on loopback in front of `box`, without TLS. A context manager.

    Everybody may log in; `postgres` also to its console. Settings go to its section of the ini.
    """

    def __init__(self, suite, box, **settings):
        self._suite = suite
        self._box = box
        self.settings = settings
        self.directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self.directory.chmod(0o755)  # it may run as another user than the tests
        self.port = free_port()
        self._process = None

    def start(self):
        """Starts it (again), on the same port."""
        self._write_ini()
        # It refuses to be root.
        user = ["setpriv", "--reuid=nobody", "--clear-groups", "--"] if os.getuid() == 0 else []
        self._process = Process([*user, _binary(self._suite), self.directory / "pgbouncer.ini"])
        eventually(self._accepts, what="PgBouncer accepting connections")
        return self

    def _write_ini(self):
        users = self.directory / "users.txt"
        users.write_text("".join(f'"{name}" ""\n' for name in ("postgres", "monitor")))
        settings = {
            "listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "",
            "auth_type": "trust", "auth_file": users, "admin_users": "postgres", **self.settings,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        (self.directory / "pgbouncer.ini").write_text("\n".join([
            "[databases]", f"* = host=127.0.0.1 port={self._box.port}", "[pgbouncer]", *lines, "",
        ]))

    def _accepts(self):
        returncode = self._process.returncode
        assert returncode is None, f"PgBouncer ended with {returncode}:\n{self._process.log_tail()}"
        try:
            self.console("SHOW VERSION")
        except psycopg2.Error:
            return False
        return True

    def console(self, command):
        """Runs a command of its console; the rows, or []."""
        with contextlib.closing(psycopg2.connect(self.dsn(dbname="pgbouncer"))) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(command)
            return cursor.fetchall() if cursor.description else []

    def dsn(self, role="postgres", dbname="postgres", more=""):
        return (f"host=127.0.0.1 port={self.port} dbname={dbname} user={role} sslmode=disable "
                f"{more}").strip()

    def end(self, number):
        """Signals it until it has ended: the newer ones, told once, wait for their clients."""

        def ended():
            self._process.signal(number)
            return self._process.returncode is not None

        eventually(ended, what=f"the end of PgBouncer by signal {number}")

    def __enter__(self):
        return self if self._process else self.start()

    def __exit__(self, *_):
        if self._process:
            self._process.signal(signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
