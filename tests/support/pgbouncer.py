"""A real PgBouncer from a distribution's package, in front of a PgBox, run for a test."""

import contextlib
import os
import shutil
import signal
import threading

import psycopg2

from tests.support.packages import unpacked
from tests.support.pgbox import new_directory
from tests.support.process import Process, StartsOnEntry, eventually, free_port

# The oldest that is widely used, and the newest.
SUITES = ("bookworm", "sid")


class PgBouncer(StartsOnEntry):
    """Listens on loopback in front of `box`, without TLS. A context manager.

    Everybody may log in; `postgres` also to its console. `databases`: names that lead to the database `postgres`, or
    "*" for each to its own. Settings go to its section of the ini file.
    """

    def __init__(self, suite, box, databases=("*",), **settings):
        self._suite = suite
        self._box = box
        self._databases = databases
        self.settings = settings
        self.directory = new_directory("pgbouncer-")
        self.port = free_port()
        self._process = None

    def start(self):
        """Starts it (again), on the same port; Unavailable if it cannot be obtained here."""
        self._write_ini()
        # It refuses to run as root.
        user = ["setpriv", "--reuid=nobody", "--clear-groups", "--"] if os.getuid() == 0 else []
        self._process = Process([*user, unpacked(self._suite, "pgbouncer") / "usr/sbin/pgbouncer", self.directory / "pgbouncer.ini"])
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
            "[databases]", *map(self._database, self._databases), "[pgbouncer]", *lines, "",
        ]))

    def _database(self, name):
        own = "" if name == "*" else " dbname=postgres"
        return f"{name} = host=127.0.0.1 port={self._box.port}{own}"

    def _accepts(self):
        returncode = self._process.returncode
        assert returncode is None, f"PgBouncer ended with {returncode}:\n{self._process.log_tail()}"
        try:
            self.console("SHOW VERSION")
        except psycopg2.Error:
            return False
        return True

    def console(self, command):
        """Runs a command on its console; returns the rows, or []."""
        with contextlib.closing(psycopg2.connect(self.dsn(dbname="pgbouncer"))) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(command)
            return cursor.fetchall() if cursor.description else []

    def dsn(self, role="postgres", dbname="postgres", more=""):
        return (f"host=127.0.0.1 port={self.port} dbname={dbname} user={role} sslmode=disable "
                f"{more}").strip()

    @contextlib.contextmanager
    def paused(self):
        """PAUSE, which returns only once no client has a server, and RESUME."""
        pausing = threading.Thread(target=self.console, args=("PAUSE",))
        pausing.start()
        try:
            yield
        finally:
            self.console("RESUME")
            pausing.join()

    @contextlib.contextmanager
    def stopped(self):
        """Stops its process during the block."""
        self._process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.signal(signal.SIGCONT)

    def end(self, number):
        """Signals it until it has ended: newer versions, signalled once, wait for their clients."""

        def ended():
            self._process.signal(number)
            return self._process.returncode is not None

        eventually(ended, what=f"the end of PgBouncer by signal {number}")

    def _has_started(self):
        return self._process is not None

    def __exit__(self, *_):
        if self._process:
            self._process.signal(signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
