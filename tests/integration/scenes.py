"""Scenes on a real server: sessions, roles and settings with known answers, for the length of the test."""

import contextlib
import os
import select
import socket
import time

import psycopg2
import psycopg2.extensions

from tests.support.exporter import Exporter
from tests.support.process import eventually

TARGET = "scene"


class Session:
    """A client session. What it runs may wait for locks without holding up the test."""

    def __init__(self, dsn):
        self._connection = psycopg2.connect(dsn, async_=1)
        self._cursor = None
        self.wait()
        self.pid = self._connection.info.backend_pid

    @property
    def info(self):
        """What libpq knows about the connection (TLS version and so on)."""
        return self._connection.info

    def run(self, statement):
        """Runs one statement to its end; its rows, or [] if it has none."""
        self.start(statement)
        self.wait()
        return self._cursor.fetchall() if self._cursor.description else []

    def start(self, statement):
        """Sends one statement and does not wait for its end."""
        self._cursor = self._connection.cursor()
        self._cursor.execute(statement)
        return self

    def vanish(self):
        """Leaves without a message, like a client whose process was killed."""
        with socket.socket(fileno=os.dup(self._connection.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._connection.close()

    def wait(self, timeout=30.0):
        """Waits until the server is done with what was started; psycopg2.Error if it refused."""
        deadline = time.monotonic() + timeout
        while (state := self._connection.poll()) != psycopg2.extensions.POLL_OK:
            wanted = [self._connection]
            is_write = state == psycopg2.extensions.POLL_WRITE
            reads, writes = ([], wanted) if is_write else (wanted, [])
            left = deadline - time.monotonic()
            if left <= 0 or not any(select.select(reads, writes, [], left)):
                raise TimeoutError(f"no answer within {timeout} s")


def by(names, samples):
    """Values of samples by the value of a label, or by those of several as a tuple."""
    if isinstance(names, str):
        return {sample.labels[names]: sample.value for sample in samples}
    return {tuple(sample.labels[name] for name in names): sample.value for sample in samples}


def errors(families):
    """What scrapes met: its count by reason and SQLSTATE."""
    samples = families.samples("pgconn_scrape_errors_total")
    return by(("reason", "sqlstate"), [sample for sample in samples if sample.value])


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Scene:
    """What one test does on one server. A context manager; leaving it undoes all of it.

    `admin` is a superuser's session that is idle whenever the exporter looks.
    """

    def __init__(self, box):
        self.box = box
        self.admin = None
        self._stack = contextlib.ExitStack()
        self._exporters = contextlib.ExitStack()
        self._sessions = []
        self._undo = []

    def __enter__(self):
        self.connect_admin()
        # The last one comes first: the exporters stop before the server changes under them.
        self._stack.callback(lambda: self.admin.close())
        self._stack.callback(self._undo_all)
        self._stack.callback(self._end_sessions)
        self._stack.push(self._exporters)
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def connect_admin(self):
        """Again, for example after a restart of the server."""
        self.admin = self.box.connect(application_name="admin")

    # SQL

    def sql(self, statement, *parameters):
        """Runs one statement as superuser; its rows, or [] if it has none."""
        with self.admin.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement, *parameters):
        return self.sql(statement, *parameters)[0][0]

    def until(self, statement, *parameters, timeout=30.0):
        """Waits until the one value of `statement` is true."""
        eventually(lambda: self.value(statement, *parameters), timeout, statement)

    def do(self, statement, undo):
        """Runs one statement now and `undo` at the end of the scene."""
        self.sql(statement)
        self._undo.append(undo)

    # What there is

    def role(self, name, *members_of, options="LOGIN"):
        self.do(f"CREATE ROLE {quoted(name)} {options}", f"DROP ROLE {quoted(name)}")
        for group in members_of:
            self.sql(f"GRANT {group} TO {quoted(name)}")
        return name

    def database(self, name, options=""):
        self.do(
            f"CREATE DATABASE {quoted(name)} {options}",
            f"DROP DATABASE {quoted(name)} WITH (FORCE)",
        )
        return name

    def table(self, rows=3):
        """`items` with ids from 1 on, in the database postgres."""
        self.do("CREATE TABLE items (id int PRIMARY KEY, n int DEFAULT 0)", "DROP TABLE items")
        self.sql("INSERT INTO items SELECT generate_series(1, %s)", rows)
        self.sql("GRANT ALL ON items TO PUBLIC")

    def alter_system(self, **settings):
        """Sets the server's own values and reloads; the end of the scene resets them."""
        for name, value in settings.items():
            self.do(f"ALTER SYSTEM SET {name} = '{value}'", f"ALTER SYSTEM RESET {name}")
        self.reload()

    def reload(self):
        before = self.value("SELECT pg_conf_load_time()")
        self.sql("SELECT pg_reload_conf()")
        self.until("SELECT pg_conf_load_time() > %s", before)

    # Who is there

    def transport(self, name):
        """Keywords of a connection string: tls, plain or unix."""
        return {
            "tls": {},
            "plain": {"sslmode": "disable", "sslrootcert": None},
            "unix": {"host": self.box.socket_directory, "sslmode": None, "sslrootcert": None},
        }[name]

    def session(self, role="postgres", database="postgres", application="", **keywords):
        """A session that is idle."""
        return self.adopt(
            Session(self.box.dsn(role, dbname=database, application_name=application, **keywords))
        )

    def adopt(self, session):
        """Ends a session that the test opened itself with the scene."""
        self._sessions.append(session)
        return session

    def transaction(self, *statements, **who):
        """A session that is idle in a transaction, after these statements."""
        session = self.session(**who)
        for statement in ("BEGIN", *statements):
            session.run(statement)
        return session

    def age(self, session, since):
        """Seconds since a session's `since` (state_change and so on), by the server's clock."""
        return float(self.value(
            f"SELECT extract(epoch FROM clock_timestamp() - {since}) FROM pg_stat_activity "
            "WHERE pid = %s", session.pid,
        ))

    def wait_for_age(self, session, since, seconds):
        eventually(lambda: self.age(session, since) > seconds, what=f"{since} {seconds} s ago")

    def wait_for_lock(self, *sessions):
        """Waits until each of them waits for a lock."""
        pids = [session.pid for session in sessions]
        self.until(
            "SELECT count(*) = %s FROM pg_stat_activity "
            "WHERE pid = ANY (%s) AND wait_event_type = 'Lock'", len(pids), pids,
        )

    def wait_gone(self, session):
        self.until("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", session.pid)

    # Who watches

    def exporter(self, role="postgres", dsn=None, target=None, **config):
        """An exporter with this server as its one target, TARGET; not started."""
        dsn = dsn or self.box.dsn(role)
        return Exporter({"targets": [{"name": TARGET, "dsn": dsn, **(target or {})}], **config})

    def watch(self, *arguments, **keywords):
        """The same, running until the end of the scene."""
        return self._exporters.enter_context(self.exporter(*arguments, **keywords))

    def _end_sessions(self):
        for session in self._sessions:
            session.close()
        if self.admin.closed or not self._admin_answers():
            self.connect_admin()
        self.until(
            "SELECT count(pg_terminate_backend(pid)) = 0 FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def _admin_answers(self):
        try:
            return self.value("SELECT true")
        except psycopg2.Error:
            return False

    def _undo_all(self):
        for statement in reversed(self._undo):
            self.sql(statement)
        if any(statement.startswith("ALTER SYSTEM") for statement in self._undo):
            self.reload()
