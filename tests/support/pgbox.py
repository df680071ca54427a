"""Throwaway PostgreSQL servers for tests: Python's view of pgbox.sh."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg2

from tests.support.process import Failed

_SCRIPT = Path(__file__).with_name("pgbox.sh")
_CANNOT_BE_HAD = 3
_LONGEST = 1200  # seconds; the first time it downloads a server
_LONGEST_SOCKET = 107  # bytes of a Unix socket's path


class Unavailable(Exception):
    """This version is not available here; the message says why."""


class ServerFailed(Failed):
    """pgbox.sh failed; the message contains what it said."""


def _pgbox(*arguments):
    words = ["bash", str(_SCRIPT), *map(str, arguments)]
    try:
        result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        raise ServerFailed(f"{' '.join(words[1:])}: not done within {_LONGEST} s") from None
    if result.returncode == _CANNOT_BE_HAD:
        raise Unavailable(result.stderr.strip())
    if result.returncode != 0:
        raise ServerFailed(f"pgbox.sh {' '.join(map(str, arguments))}:\n{result.stderr}")
    return result.stdout.strip()


def new_directory(prefix):
    """A temporary directory that the server's user may enter and that has room for a Unix socket's name.

    In /tmp where $TMPDIR is neither: one's own, or deep.
    """
    parent = Path(tempfile.gettempdir()).resolve()
    fits = len(f"{parent}/{prefix}12345678/sock/.s.PGSQL.12345".encode()) <= _LONGEST_SOCKET
    open_to_all = all(folder.stat().st_mode & 0o001 for folder in (parent, *parent.parents))
    as_another = os.getuid() == 0
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent if fits and (open_to_all or not as_another) else "/tmp"))
    directory.chmod(0o755)
    return directory


def known_versions():
    """Major versions the tests know, oldest first; whether one is available is another question."""
    return [int(version) for version in _pgbox("versions").split()]


class PgBox:
    """One server on loopback, with TLS and its own certificate authority.

    Everybody may log in without a password until `hba` says otherwise. Use as a context manager, or
    call `destroy` at the end.
    """

    def __init__(self, version):
        self.version = version
        self.directory = new_directory(f"pg{version}-")
        self._settings = {}

    def start(self, **settings):
        """Starts it (again), on the same port if it ran before. Settings stay for later starts."""
        self._settings.update(settings)
        self._launch("start", self.version)
        return self

    def start_standby_of(self, primary, **settings):
        """Makes this a streaming standby of another box and starts it."""
        self._settings.update(settings)
        self._launch("standby", primary.directory)
        return self

    def _launch(self, command, subject):
        port = self.port if (self.directory / "box").exists() else 0
        pairs = [f"{name}={value}" for name, value in self._settings.items()]
        _pgbox(command, subject, self.directory, port, *pairs)

    @property
    def port(self):
        return int((self.directory / "box").read_text().split()[1])

    @property
    def ca(self):
        """Path of the certificate authority's certificate."""
        return str(self.directory / "tls" / "ca.crt")

    @property
    def socket_directory(self):
        return str(self.directory / "sock")

    def dsn(self, role="postgres", **keywords):
        """A connection string; keywords replace or add to it, None removes."""
        parts = {
            "host": "127.0.0.1", "port": self.port, "dbname": "postgres", "user": role,
            "sslmode": "verify-full", "sslrootcert": self.ca, **keywords,
        }
        return " ".join(f"{name}='{value}'" for name, value in parts.items() if value is not None)

    def connect(self, role="postgres", **keywords):
        """A psycopg2 connection in autocommit mode."""
        connection = psycopg2.connect(self.dsn(role, **keywords))
        connection.autocommit = True
        return connection

    def psql(self, sql, role="postgres", **keywords):
        """Runs SQL on a connection of its own; the last statement's rows, or [] if it has none."""
        with contextlib.closing(self.connect(role, **keywords)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def hba(self, *lines):
        """Puts these lines in front of pg_hba.conf, in place of those of an earlier call."""
        self._write_hba(lines, keep=True)

    def hba_alone(self, *lines):
        """Lets these lines be all of pg_hba.conf, until the next call of `hba`."""
        self._write_hba(lines, keep=False)

    def _write_hba(self, lines, keep):
        path = self.directory / "data" / "pg_hba.conf"
        original = path.with_suffix(".original")
        if not original.exists():
            shutil.copyfile(path, original)
        path.write_text("\n".join(lines) + "\n" + (original.read_text() if keep else ""))
        self.psql("SELECT pg_reload_conf()", **self._local())

    def use_certificate(self, name):
        """Shows another of the certificates of certs.sh to new connections: server, expired, ending …"""
        for kind, suffix in (("cert", "crt"), ("key", "key")):
            path = self.directory / "tls" / f"{name}.{suffix}"
            self.psql(f"ALTER SYSTEM SET ssl_{kind}_file = '{path}'", **self._local())
        self.psql("SELECT pg_reload_conf()", **self._local())

    def _local(self):
        return {"host": self.socket_directory, "sslmode": None, "sslrootcert": None}

    def kill_backend(self, pid, signal_number=signal.SIGKILL):
        """Signals one of this server's processes; SIGKILL makes it restart as after a crash."""
        os.kill(pid, signal_number)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def log_count(self, pattern):
        return len(re.findall(pattern, self.log()))

    def stop(self, mode="fast"):
        _pgbox("stop", self.directory, mode)

    def destroy(self):
        _pgbox("destroy", self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()
