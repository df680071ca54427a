"""The servers of a chaos run, and what is done to them.

Kinds of faults share a stage if they do not disturb each other: what is done to a whole server happens to all targets
of its stage.
"""

import contextlib
import os
import random
import signal
import time
from pathlib import Path as FilePath

from tests.chaos.relays import Relays
from tests.support.pgbouncer import SUITES, PgBouncer
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable

_HELD = "application_name IN ('pgconn_exporter/idle', 'pgconn_exporter/roundtrip')"


class Stage:
    """Servers, and the faults of some kinds. `start` them, then carry out all `events` at their times."""

    KINDS = ()
    scrape = None  # a function that has all targets scraped once

    def __init__(self, version, faults, seconds, stack):
        self.version, self.faults, self.seconds = version, faults, seconds
        self._stack = stack
        self._roles = {}  # their numbers, by name: a role that was dropped has no name any more
        self._dice = random.Random(f"{type(self).__name__}/{min(fault.seed for fault in faults)}")
        self.box = None
        self._admin = None

    def start(self):
        self.box = self.new_box()
        self.connect_admin()
        for fault in self.faults:
            self.prepare(fault)

    def new_box(self):
        box = self._stack.enter_context(PgBox(self.version))
        return box.start(max_connections=len(self.faults) * 8 + 50, shared_buffers="32MB")

    def connect_admin(self):
        # Not affected by what happens to TCP and TLS.
        local = {"host": self.box.socket_directory, "sslmode": None, "sslrootcert": None}
        self._admin = self._stack.enter_context(contextlib.closing(self.box.connect(**local)))

    def prepare(self, fault):
        self.sql(f'CREATE ROLE "{fault.name}" LOGIN IN ROLE pg_monitor')
        [(self._roles[fault.name],)] = self.sql("SELECT oid FROM pg_roles WHERE rolname = %s", fault.name)

    def sql(self, statement, *parameters):
        with self._admin.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def dsn(self, fault):
        return self.box.dsn(fault.name, sslmode="disable", sslrootcert=None)

    def begin(self):
        """The time of the events begins."""

    def events(self):
        """(seconds, what is done then) in any order."""
        return []

    def part(self, share):
        """A moment of the run."""
        return self.seconds * share


class Paths(Stage):
    """Relays in front of one server, and another server to which some of them are moved."""

    KINDS = ("age", "silence", "pause", "reject", "repoint")

    def start(self):
        super().start()
        self._relays = self._stack.enter_context(Relays())
        self._other = None
        moving = [fault for fault in self.faults if fault.moves]
        if moving:
            self._other = self.new_box()
            for fault in moving:
                self._other.psql(f'CREATE ROLE "{fault.name}" LOGIN IN ROLE pg_monitor')

    def dsn(self, fault):
        port = self._relays.add(fault.path, self.box.port, self._other and self._other.port)
        return self.box.dsn(fault.name, port=port, sslmode="disable", sslrootcert=None)

    def begin(self):
        self._relays.begin_now()


class Sessions(Stage):
    """Commands to a server that goes on."""

    KINDS = ("terminate", "hba", "ssl", "role", "database", "idleness")

    def prepare(self, fault):
        super().prepare(fault)
        if fault.kind == "database":
            self.sql(f'CREATE DATABASE "{fault.name}"')
        if fault.kind == "idleness":
            self.sql(f"ALTER ROLE \"{fault.name}\" SET idle_session_timeout = '{int(fault.lasts * 1000)}ms'")

    def dsn(self, fault):
        return self.box.dsn(
            fault.name, sslrootcert=None, sslmode="require" if fault.kind == "ssl" else "disable",
            dbname=fault.name if fault.kind == "database" else "postgres",
        )

    def events(self):
        # Each before and after the terminations of its kind. Both reload the server, which costs each session.
        rejected = [f'host all "{fault.name}" 127.0.0.1/32 reject' for fault in self.faults if fault.kind == "hba"]
        if rejected:
            yield self.part(0.28), lambda: self.box.hba(*rejected)
            yield self.part(0.47), self.box.hba
        if any(fault.kind == "ssl" for fault in self.faults):
            yield self.part(0.58), lambda: self._set_ssl("off")
            yield self.part(0.77), lambda: self._set_ssl("on")
        for fault in self.faults:
            for at in fault.at:
                yield from self._events_of(fault, at)

    def _events_of(self, fault, at):
        if fault.kind == "database":
            yield at, lambda: self._drop_database(fault)
        elif fault.kind != "idleness":
            yield at, lambda: self._terminate_one(fault)
        if fault.kind == "role":
            yield at - fault.lasts, lambda: self.sql(f'DROP ROLE "{fault.name}"')
            yield at + 10, lambda: self.sql(f'CREATE ROLE "{fault.name}" LOGIN IN ROLE pg_monitor')

    def _set_ssl(self, value):
        self.sql(f"ALTER SYSTEM SET ssl = {value}")
        self.sql("SELECT pg_reload_conf()")

    def _terminate_one(self, fault):
        fault.commands.append(time.time())
        [(ended,)] = self.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
            f" WHERE usesysid = %s AND {_HELD} ORDER BY random() LIMIT 1) one", self._roles[fault.name],
        )
        fault.sessions += ended

    def _drop_database(self, fault):
        [(ended,)] = self.sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE usesysid = %s AND {_HELD}", self._roles[fault.name]
        )
        fault.commands.append(time.time())
        self.sql(f'DROP DATABASE "{fault.name}" WITH (FORCE)')
        fault.sessions += ended


class Pair(Stage):
    """A primary, shut down twice, and a standby: some targets know both, some the primary alone."""

    KINDS = ("restart", "failover")

    def start(self):
        super().start()
        self._standby = self._stack.enter_context(PgBox(self.version))
        self._standby.start_standby_of(self.box, max_connections=len(self.faults) * 8 + 50, shared_buffers="32MB")

    def dsn(self, fault):
        if fault.kind == "restart":
            return super().dsn(fault)
        ports = f"{self.box.port},{self._standby.port}"
        return self.box.dsn(fault.name, host="127.0.0.1,127.0.0.1", port=ports, sslmode="disable", sslrootcert=None)

    def events(self):
        for share in 0.25, 0.6:
            yield self.part(share), self._stop
            yield self.part(share) + self._dice.uniform(3, 10), self.box.start

    def _stop(self):
        for fault in self.faults:
            fault.commands.append(time.time())
            fault.sessions = 1
        self.box.stop()
        self.scrape()  # while those that know the standby are there


class Frozen(Stage):
    """A server all of whose processes stand still, twice."""

    KINDS = ("frozen",)

    def events(self):
        self._stack.callback(self._signal_all, signal.SIGCONT)
        for share in 0.2, 0.55:
            yield self.part(share), lambda: self._signal_all(signal.SIGSTOP)
            yield self.part(share) + self._dice.uniform(1, 10), lambda: self._signal_all(signal.SIGCONT)

    def _signal_all(self, number):
        postmaster = int((self.box.directory / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, number)
        for pid in FilePath(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), number)


class Standstills(Stage):
    """A server that goes on, while one of its processes, or a pooler in front, stands still."""

    KINDS = ("stuck", "pooler")

    def start(self):
        super().start()
        self._stopped = set()
        self._stack.callback(self._continue_all)
        behind = [fault.name for fault in self.faults if fault.kind == "pooler"]
        self._poolers = []
        for suite in SUITES if behind else ():
            with contextlib.suppress(Unavailable):
                self._poolers.append(self._stack.enter_context(PgBouncer(
                    suite, self.box, behind, pool_mode="transaction", default_pool_size=4, max_client_conn=2000)))
        if behind and not self._poolers:
            raise Unavailable("no PgBouncer")

    def _pooler_of(self, fault):
        return self._poolers[fault.seed % len(self._poolers)]

    def dsn(self, fault):
        if fault.kind == "pooler":
            return self._pooler_of(fault).dsn(dbname=fault.name)
        return super().dsn(fault)

    def events(self):
        for fault in self.faults:
            yield from self._events_of(fault, *fault.at)
        for pooler in self._poolers:
            yield from self._standstill_of(pooler)

    def _standstill_of(self, pooler):
        standstill = self._stack.enter_context(contextlib.ExitStack())
        begin = self.part(0.8)
        yield begin, lambda: standstill.enter_context(pooler.stopped())
        yield begin + self._dice.uniform(0.5, 8), standstill.close

    def _events_of(self, fault, at):
        if fault.kind == "pooler":
            console = self._pooler_of(fault).console
            yield at, lambda: console(f'PAUSE "{fault.name}"')
            yield at + fault.lasts, lambda: console(f'RESUME "{fault.name}"')
        else:
            yield at, lambda: self._stop_one(fault)
            yield at + fault.lasts, lambda: self._continue(fault)

    def _stop_one(self, fault):
        for (fault.pid,) in self.sql(
            "SELECT pid FROM pg_stat_activity WHERE usesysid = %s"
            " AND application_name = 'pgconn_exporter/idle' ORDER BY random() LIMIT 1", self._roles[fault.name],
        ):
            os.kill(fault.pid, signal.SIGSTOP)
            self._stopped.add(fault.pid)

    def _continue(self, fault):
        if fault.pid in self._stopped:
            self._stopped.discard(fault.pid)
            os.kill(fault.pid, signal.SIGCONT)

    def _continue_all(self):
        for pid in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


STAGES = (Paths, Sessions, Pair, Frozen, Standstills)


def is_possible(kind, version):
    """Whether servers of that version know such a fault."""
    return kind != "idleness" or version >= 14
