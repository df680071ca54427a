"""All that a server logs about connections, provoked on one server, and the account of what its log has to tell."""

import contextlib
import signal
import socket
from collections import Counter

import psycopg2
import psycopg2.extras

from tests.faults.held import postmaster
from tests.faults.log_reading import in_text
from tests.integration.scenes import Session
from tests.support.process import eventually

# Roles and databases that stay from one life of a server to the next.
SETUP = [
    "CREATE ROLE walled LOGIN PASSWORD 'right'",
    "CREATE ROLE barred LOGIN",
    "CREATE ROLE stranger LOGIN",
    "CREATE ROLE plain LOGIN",
    "CREATE ROLE nologin NOLOGIN",
    "CREATE ROLE limited LOGIN CONNECTION LIMIT 0",
    "CREATE DATABASE closed ALLOW_CONNECTIONS false",
    "CREATE DATABASE private",
    "REVOKE CONNECT ON DATABASE private FROM PUBLIC",
    "CREATE DATABASE small CONNECTION LIMIT 0",
    "CREATE TABLE items (id int)",
]
HBA = [
    "local all all trust",
    "host all walled 127.0.0.1/32 scram-sha-256",
    "host all ghost 127.0.0.1/32 scram-sha-256",
    "host all barred 127.0.0.1/32 reject",
    "host all postgres,plain,nologin,limited,missing 127.0.0.1/32 trust",
    "host replication postgres 127.0.0.1/32 trust",
]
SETTINGS = {
    "max_connections": 12, "superuser_reserved_connections": 2, "log_lock_waits": "on", "deadlock_timeout": "200ms",
    "ssl_min_protocol_version": "TLSv1.3", "wal_level": "replica", "log_file_mode": "0644",
}


class Faults:
    """Provokes one fault after another, and keeps the account: `events` and `refusals` the log must tell of."""

    def __init__(self, box, log):
        self.box = box
        self.log = log  # the file of one format, to wait for what it says
        self.events = Counter()
        self.refusals = Counter()
        self.victims = {}  # event → process numbers it happened to

    def expect(self, event, session=None):
        self.events[event] += 1
        if session is not None:
            self.victims.setdefault(event, []).append(session.pid)

    def session(self, *statements, role="postgres", **keywords):
        session = Session(self.box.dsn(role, **keywords))
        for statement in statements:
            session.run(statement)
        return session

    def said(self, text, times=1):
        eventually(lambda: in_text(self.log, text) >= times, what=f"{text!r} in {self.log}")

    # Logins refused

    def refused(self, event, reason, role="postgres", **keywords):
        with contextlib.suppress(psycopg2.OperationalError):
            self.box.connect(role, **keywords).close()
            raise AssertionError(f"{role} was let in: {keywords}")
        self.expect(event)
        self.refusals[reason] += 1

    def logins(self):
        self.refused("authentication_failed", "authentication", "walled", password="wrong")
        self.refused("authentication_failed", "no_role", "ghost", password="wrong")
        self.refused("authorization_refused", "no_role", "missing")
        self.refused("authorization_refused", "hba_reject", "barred")
        self.refused("authorization_refused", "no_hba_entry", "stranger")
        self.refused("authorization_refused", "role_cannot_login", "nologin")
        self.refused("no_database", "no_database", dbname="nowhere")
        self.refused("connect_denied", "no_privilege", "plain", dbname="private")
        self.refused("database_not_accepting", "database_not_accepting", dbname="closed")
        self.refused("too_many_connections", "role_limit", "limited")
        self.refused("too_many_connections", "database_limit", "plain", dbname="small")
        self.refused("tls_error", "tls", sslrootcert=self.box.ca.replace("ca.crt", "server.crt"))
        self.refused("tls_error", "tls", ssl_max_protocol_version="TLSv1.2")
        # Without a password the client gives up, and the server has nothing to say.
        with contextlib.suppress(psycopg2.OperationalError):
            self.box.connect("walled", passfile="/nonexistent").close()

    def slots(self):
        with contextlib.ExitStack() as stack:
            for role in ("plain", "postgres"):
                with contextlib.suppress(psycopg2.OperationalError):
                    while True:
                        stack.callback(self.box.connect(role).close)
                self.expect("too_many_connections")
                self.refusals["no_slot"] += 1

    def garbage(self):
        for event, sent in (("incomplete_startup", b"\0\0"), ("protocol_violation", b"\0\0\0\1\0\0\0\1")):
            with socket.create_connection(("127.0.0.1", self.box.port)) as peer:
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(10)
                with contextlib.suppress(ConnectionError):
                    peer.recv(1)  # until the server is done with it
            self.expect(event)

    # Sessions and statements ended

    def timeouts(self):
        session = self.session("SET idle_in_transaction_session_timeout = '50ms'", "BEGIN")
        self.gone("idle_in_transaction_timeout", session)
        if self.box.version >= 14:
            self.gone("idle_session_timeout", self.session("SET idle_session_timeout = '50ms'"))
        if self.box.version >= 17:
            session = self.session("SET transaction_timeout = '50ms'", "BEGIN")
            self.gone("transaction_timeout", session.start("SELECT pg_sleep(10)"))

    def gone(self, event, session):
        """Waits until the server has ended it."""
        with contextlib.closing(self.session()) as admin:
            eventually(lambda: not admin.run(f"SELECT 1 FROM pg_stat_activity WHERE pid = {session.pid}"))
        self.expect(event, session)
        session.close()

    def terminated(self):
        victim = self.session()
        with contextlib.closing(self.session(f"SELECT pg_terminate_backend({victim.pid})")):
            self.gone("admin_terminate", victim)

    def fails(self, event, session, statement=None):
        try:
            session.run(statement) if statement else session.wait()
        except psycopg2.Error:
            self.expect(event, session)
        else:
            raise AssertionError(f"no {event}")

    def statements(self):
        session = self.session("SET statement_timeout = '20ms'")
        self.fails("statement_timeout", session, "SELECT pg_sleep(10)")
        session.run("SET statement_timeout = 0")
        session.start("SELECT pg_sleep(10)")
        with contextlib.closing(self.session()) as admin:
            asleep = f"SELECT 1 FROM pg_stat_activity WHERE pid = {session.pid} AND wait_event = 'PgSleep'"
            eventually(lambda: admin.run(asleep))
            admin.run(f"SELECT pg_cancel_backend({session.pid})")
        self.fails("query_cancel", session)
        session.close()

    def locks(self):
        holder = self.session("BEGIN", "LOCK TABLE items")
        waiter = self.session("SET lock_timeout = '20ms'")
        self.fails("lock_timeout", waiter, "SELECT * FROM items")
        waiter.run("BEGIN")
        self.fails("lock_not_available", waiter, "LOCK TABLE items NOWAIT")
        waiter.run("ROLLBACK")
        waiter.run("SET lock_timeout = 0")
        waiter.start("SELECT * FROM items")
        self.said(f"process {waiter.pid} still waiting")
        self.victims["lock_wait"] = [waiter.pid]
        self.victims["actor of lock_wait"] = [holder.pid]
        holder.run("ROLLBACK")
        waiter.wait()
        self.said(f"process {waiter.pid} acquired")
        for session in (holder, waiter):
            session.run("BEGIN")
        holder.run("SELECT pg_advisory_xact_lock(1)")
        waiter.run("SELECT pg_advisory_xact_lock(2)")
        holder.start("SELECT pg_advisory_xact_lock(2)")
        waiter.start("SELECT pg_advisory_xact_lock(1)")
        failed = 0
        for session in (holder, waiter):
            # Whoever lost lets the other go on.
            try:
                session.wait()
            except psycopg2.Error:
                failed += 1
        assert failed == 1
        self.expect("deadlock")
        holder.close()
        waiter.close()

    def vanished(self):
        session = self.session("BEGIN")
        session.vanish()
        self.said("unexpected EOF on client connection with an open transaction")
        self.expect("connection_lost", session)
        if self.box.version >= 14:
            session = self.session("SET client_connection_check_interval = '50ms'")
            session.start("SELECT pg_sleep(60)").vanish()
            self.said("connection to client lost")
            self.expect("connection_lost", session)

    def replication(self):
        connection = psycopg2.connect(
            self.box.dsn(options="-c wal_sender_timeout=300ms"),
            connection_factory=psycopg2.extras.PhysicalReplicationConnection,
        )
        cursor = connection.cursor()
        cursor.execute("IDENTIFY_SYSTEM")
        cursor.start_replication(start_lsn=cursor.fetchone()[2], slot_type=psycopg2.extras.REPLICATION_PHYSICAL)
        self.said("terminating walsender process due to replication timeout")
        self.expect("replication_timeout")
        connection.close()

    # The server itself

    def crash(self):
        ready = in_text(self.log, "ready to accept connections")
        bystander, victim = self.session(), self.session()
        self.box.kill_backend(victim.pid)
        self.said("ready to accept connections", ready + 1)
        for event in ("backend_crash", "crash_restart", "crash_recovery"):
            self.expect(event)
        self.victims["backend_crash"] = [victim.pid]
        if self.box.version == 13:  # later ones tell the client only
            self.expect("crash_bystander", bystander)
        bystander.close()
        victim.close()

    def shut_down(self):
        last = self.session()
        pid = postmaster(self.box)
        self.box.kill_backend(pid, signal.SIGTERM)
        self.said("received smart shutdown request")
        self.expect("smart_shutdown")
        self.refused("server_not_ready", "server_not_ready")
        self.box.kill_backend(pid, signal.SIGINT)
        self.expect("fast_shutdown")
        self.expect("admin_terminate", last)
        self.said("database system is shut down")
        self.expect("server_shut_down")
        last.close()
        eventually(lambda: not (self.box.directory / "data" / "postmaster.pid").exists())

    def all(self):
        self.crash()
        self.logins()
        self.slots()
        self.garbage()
        self.timeouts()
        self.terminated()
        self.statements()
        self.locks()
        self.vanished()
        self.replication()
        self.shut_down()
        return self
