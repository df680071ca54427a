"""Throwaway PostgreSQL servers from packages of Debian and npm, not installed: on loopback only, with TLS.

Each lives in one directory: `data`; `tls`, its certificates; `log`; `sock`, for its Unix socket; and `box`, which
holds its version, its port and where its programs are.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg2

from tests.support import certificates, clusters
from tests.support.packages import client_programs, programs
from tests.support.process import Failed, eventually, free_port, running

_LONGEST = 120  # seconds until a server has started, stopped or been copied
_LONGEST_SOCKET = 107  # bytes of a Unix socket's path
_SETTINGS = """\
port = {port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '{directory}/sock'
ssl = on
ssl_ca_file = '{directory}/tls/ca.crt'
ssl_cert_file = '{directory}/tls/server.crt'
ssl_key_file = '{directory}/tls/server.key'
password_encryption = 'scram-sha-256'
fsync = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %e %a %u@%d %h '
log_connections = on
log_disconnections = on
"""


class ServerFailed(Failed):
    """A program of PostgreSQL failed; the message contains its output."""


def _server_user():
    """The user who runs the servers: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def new_directory(prefix):
    """A temporary directory that the server's user may enter and that has room for a Unix socket's name.

    In /tmp if $TMPDIR does not suit, because it is private or too deep.
    """
    parent = Path(tempfile.gettempdir()).resolve()
    fits = len(f"{parent}/{prefix}12345678/sock/.s.PGSQL.12345".encode()) <= _LONGEST_SOCKET
    open_to_all = all(folder.stat().st_mode & 0o001 for folder in (parent, *parent.parents))
    as_another = os.getuid() == 0
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent if fits and (open_to_all or not as_another) else "/tmp"))
    directory.chmod(0o755)
    return directory


class PgBox:
    """One server on loopback, with TLS and its own certificate authority.

    Everybody may log in without a password until `hba` says otherwise. Use as a context manager, or
    call `destroy` at the end. As root, the server runs as `postgres` if there is such a user, else as
    `nobody`, who must be able to enter its directory.
    """

    def __init__(self, version, directory=None):
        self.version = version
        self.directory = Path(directory).resolve() if directory else new_directory(f"pg{version}-")
        self._settings = {}

    @classmethod
    def at(cls, directory):
        """The one that was previously started in that directory."""
        return cls(int((Path(directory) / "box").read_text().split()[0]), directory)

    def start(self, port=0, **settings):
        """Starts it (again), on the same port if it ran before and none is given. Settings stay for later starts."""
        bin_directory = programs(self.version)
        self._prepare()
        data = self.directory / "data"
        if not (data / "PG_VERSION").exists():
            clusters.make(self.version, bin_directory / "postgres", _server_user(), self._initdb, data)
            with (data / "postgresql.conf").open("a") as file:
                file.write("include_if_exists 'box.conf'\n")
        return self._launch(bin_directory, port, settings)

    def start_standby_of(self, primary, port=0, **settings):
        """Makes this a streaming standby of another box and starts it."""
        self.version = primary.version
        bin_directory, clients = programs(self.version), client_programs(self.version)
        self._prepare()
        data = self.directory / "data"
        if not (data / "PG_VERSION").exists():
            self._run(clients / "pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync",
                      "-d", f"host={primary.socket_directory} port={primary.port} user=postgres")
            if self.version < 17:  # a later client writes an option that libpq 16 rejects
                path = data / "postgresql.auto.conf"
                path.write_text(re.sub(" sslnegotiation=[a-z]*", "", path.read_text()))
        return self._launch(bin_directory, port, settings)

    def _initdb(self, data):
        self._run(programs(self.version) / "initdb", "-D", data, "-U", "postgres", "--locale=C", "--encoding=UTF8", "-A",
                  "trust", "--no-sync")

    def _prepare(self):
        """Makes the directory and its certificates, and sets their owner."""
        if not shutil.which("openssl"):
            raise Failed("openssl is missing: run scripts/install-deps test")
        (self.directory / "sock").mkdir(parents=True, exist_ok=True)
        tls = self.directory / "tls"
        if not (tls / "server.crt").exists():
            certificates.for_a_server(tls)
        self.directory.chmod(0o755)
        tls.chmod(0o755)
        user = _server_user()
        if user:
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def _run(self, program, *words):
        """Runs a program of PostgreSQL as the server's user. Its output goes to a file: a server would hold a pipe."""
        user = _server_user()
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        output = self.directory / f"{program.name}.log"
        with output.open("w") as file:
            try:
                status = subprocess.run(
                    [str(program), *map(str, words)], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=file,
                    stderr=subprocess.STDOUT, check=False, timeout=_LONGEST, umask=0o022, **as_user).returncode
            except subprocess.TimeoutExpired:
                status = f"not done within {_LONGEST} s"
        if status != 0:
            raise ServerFailed(f"{program.name} of PostgreSQL {self.version} in {self.directory}: {status}\n"
                               f"{output.read_text(errors='replace')}{self.log()[-4000:]}")

    def _launch(self, bin_directory, port, settings):
        """Writes the settings, starts the server, waits until it answers."""
        self._settings.update(settings)
        port = port or (self.port if (self.directory / "box").exists() else free_port())
        text = _SETTINGS.format(port=port, directory=self.directory)
        text += "".join(f"{name} = '{value}'\n" for name, value in self._settings.items())
        (self.directory / "data" / "box.conf").write_text(text)
        (self.directory / "data" / "box.conf").chmod(0o644)
        (self.directory / "box").write_text(f"{self.version} {port} {bin_directory}\n")
        self._run(bin_directory / "pg_ctl", "-D", self.directory / "data", "-l", self.directory / "log", "-w", "-t", 60,
                  "start")
        return self

    @property
    def port(self):
        return int((self.directory / "box").read_text().split()[1])

    @property
    def ca(self):
        """The path of the certificate authority's certificate."""
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
        """Runs SQL on a new connection; returns the last statement's rows, or [] if it has none."""
        with contextlib.closing(self.connect(role, **keywords)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def hba(self, *lines):
        """Puts these lines at the start of pg_hba.conf, replacing those of an earlier call."""
        self._write_hba(lines, keep=True)

    def hba_alone(self, *lines):
        """Makes these lines the whole pg_hba.conf, until the next call of `hba`."""
        self._write_hba(lines, keep=False)

    def _write_hba(self, lines, keep):
        path = self.directory / "data" / "pg_hba.conf"
        original = path.with_suffix(".original")
        if not original.exists():
            shutil.copyfile(path, original)
        path.write_text("\n".join(lines) + "\n" + (original.read_text() if keep else ""))
        self.psql("SELECT pg_reload_conf()", **self._local())

    def use_certificate(self, name):
        """Presents another of the certificates in `tls` to new connections: server, expired, ending …"""
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
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_count(self, pattern):
        return len(re.findall(pattern, self.log()))

    def stop(self, mode="fast"):
        if (self.directory / "data" / "postmaster.pid").exists():
            pg_ctl = Path((self.directory / "box").read_text().split()[2], "pg_ctl")
            self._run(pg_ctl, "-D", self.directory / "data", "-m", mode, "-w", "-t", 60, "stop")

    def destroy(self):
        """Ends it, even if its start was interrupted, and removes its directory."""
        if (self.directory / "box").exists():
            with contextlib.suppress(ServerFailed):
                self.stop("immediate")
        # If its start was interrupted, nobody knows its process number yet.
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        with contextlib.suppress(TimeoutError):
            eventually(lambda: not self._processes(), 10)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _processes(self):
        return [pid for pid, words in running() if f"-D {self.directory}/data " in words]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()
