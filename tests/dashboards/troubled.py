"""A server with every kind of problem that the dashboards show, behind a middlebox that forgets idle flows."""

import contextlib
import os
import signal
import subprocess

import psycopg2

from tests.integration.scenes import Session
from tests.support.midbox import SERVER_ADDRESS
from tests.support.process import eventually

PACE = {"interval": "1s", "timeout": "900ms"}
FORGETS_AFTER = 3
PROBES = {
    "connect": PACE, "roundtrip": PACE, "certificate": PACE,
    "idle": {"ladder": ["1s", "2s", "6s"], "canaries": 2, "timeout": "1s"},
}
_CRL = """\
[ca]
default_ca = throwaway
[throwaway]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 7
"""


def write_crl(directory):
    """A revocation list of the authority in `directory`, good for a week."""
    (directory / "crl.conf").write_text(_CRL)
    (directory / "index.txt").write_text("")
    (directory / "crlnumber").write_text("01\n")
    subprocess.run(["openssl", "ca", "-gencrl", "-config", "crl.conf", "-cert", "ca.crt", "-keyfile", "ca.key",
                    "-out", "crl.pem"], cwd=directory, check=True, capture_output=True)
    return str(directory / "crl.pem")


def beside(box):
    """A target on the machine of the exporter, whose log and host it reads."""
    log = {"files": [str(box.directory / "log")], "line_prefix": "%m [%p] %e %a %u@%d %h "}
    quiet = {"connect": False, "idle": False, "certificate": False}
    return {"name": "beside", "dsn": box.dsn(), "labels": {"cluster": "shop"}, "host": True, "server_log": log,
            "probes": quiet}


def trouble_log(box):
    """A login that is refused and a session that is ended, for the log."""
    with contextlib.suppress(psycopg2.OperationalError):
        box.connect("nobody_at_all").close()
    with contextlib.closing(box.connect()) as victim:
        box.psql(f"SELECT pg_terminate_backend({victim.info.backend_pid})")


class TroubledServer:
    """Its sessions and faults, as seen from the far end of the middlebox. A context manager."""

    def __init__(self, box):
        self.box = box
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def dsn(self, role="postgres", **keywords):
        return self.box.dsn(role, **{"host": SERVER_ADDRESS, "sslmode": "require", "sslrootcert": None, **keywords})

    def session(self, role="shop", **keywords):
        session = Session(self.dsn(role, **keywords))
        self._stack.callback(session.close)
        return session

    def sql(self, *statements):
        """Runs them as superuser; returns the rows of the last."""
        with contextlib.closing(Session(self.dsn())) as session:
            return [session.run(statement) for statement in statements][-1]

    def targets(self):
        """The server seen directly and as if through a pooler, by a role that may see little, and refused."""
        files = [{"name": "ca", "path": self.box.ca}, {"name": "crl", "path": write_crl(self.box.directory / "tls")}]

        def target(name, role, via, **more):
            return {"name": name, "dsn": self.dsn(role), "labels": {"cluster": "shop", "via": via}, **more}

        quiet = {"idle": False, "certificate": False}
        return [
            target("orders", "postgres", "direct", files=files, path_idle_limit="5s",
                   collectors={"sessions": {"by_client": 5}}, max_series_per_metric=5),
            target("orders-pooled", "postgres", "pooler", files=[{"name": "mislaid", "path": "/nowhere/ca.pem"}]),
            target("bare", "nobody", "direct", probes=quiet),
            target("refused", "crowded", "direct", probes=quiet),
        ]

    def prepare(self):
        self.sql(
            "CREATE ROLE nobody LOGIN", "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0",
            "CREATE ROLE shop LOGIN CONNECTION LIMIT 30", "CREATE DATABASE stock CONNECTION LIMIT 20",
            "ALTER ROLE shop SET idle_in_transaction_session_timeout = '10min'",
            "CREATE TABLE rows AS SELECT n FROM generate_series(1, 10) n", "GRANT ALL ON rows TO shop",
            "ALTER SYSTEM SET max_connections = 90",  # waits for a restart
            "ALTER SYSTEM SET tcp_keepalives_idle = 600", "SELECT pg_reload_conf()",
        )

    def begin(self):
        """What lasts: an open transaction, a chain of waits behind it, a long query, sessions of all transports."""
        batch = self.session(application_name="batch")
        batch.run("BEGIN")
        batch.run("UPDATE rows SET n = n WHERE n = 1")
        for holds, wants in ((2, 1), (3, 2)):
            checkout = self.session(application_name="checkout")
            checkout.run("BEGIN")
            checkout.run(f"UPDATE rows SET n = n WHERE n = {holds}")
            checkout.start(f"UPDATE rows SET n = n WHERE n = {wants}")
        self.session(application_name="report").start("SELECT pg_sleep(600)")
        self.session(dbname="stock")
        self.session(sslmode="disable")

    def crash(self):
        """A backend dies and all are reset; returns once the server takes connections again."""
        with contextlib.closing(Session(self.dsn())) as victim:
            os.kill(victim.pid, signal.SIGKILL)

        def answers():
            with contextlib.suppress(psycopg2.OperationalError):
                return self.sql("SELECT 1")

        eventually(answers, what="the end of recovery")

    def end_sessions_badly(self):
        """One session each that its client abandons, that a timeout ends, and that somebody kills; a deadlock."""
        self.session().vanish()
        ended = self.session()
        ended.run("SET idle_in_transaction_session_timeout = '10ms'")
        ended.run("BEGIN")
        self.sql(f"SELECT pg_terminate_backend({self.session().pid})")
        one, other = self.session(), self.session()
        for session, row in ((one, 8), (other, 9)):
            session.run("BEGIN")
            session.run(f"UPDATE rows SET n = n WHERE n = {row}")
        one.start("UPDATE rows SET n = n WHERE n = 9")
        other.start("UPDATE rows SET n = n WHERE n = 8")
        for session in (one, other):
            with contextlib.suppress(psycopg2.Error):  # of one of them
                session.wait()
            session.run("ROLLBACK")  # until then its server process keeps the deadlock to itself

    def lock_catalog_until(self, seen):
        """Locks what two collectors require, until `seen()`. Logins wait for it too."""
        with contextlib.closing(Session(self.dsn())) as migration:
            migration.run("BEGIN")
            migration.run("LOCK TABLE pg_db_role_setting")
            eventually(seen, 30, "collectors that fail")
            migration.run("ROLLBACK")

    def drop_held(self):
        """Ends what the exporter holds."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE application_name IN ('pgconn_exporter/roundtrip', 'pgconn_exporter/idle')")
