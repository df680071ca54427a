"""PgBouncer's own log: real PgBouncers, each with the reasons for which it closes connections, and exact counts."""

import contextlib
import socket

import psycopg2
import pytest

from tests.support.exporter import Exporter
from tests.support.pgbouncer import SUITES, PgBouncer
from tests.support.process import eventually

FAMILY = "pgconn_pgbouncer_log_closings_total"


@pytest.fixture(params=SUITES)
def suite(request):
    return request.param


def open_to(bouncer, **keywords):
    connection = psycopg2.connect(**{"host": "127.0.0.1", "port": bouncer.port, "dbname": "postgres", "user": "monitor",
                                     "sslmode": "disable", **keywords})
    return connection


def refused(bouncer, **keywords):
    with pytest.raises(psycopg2.OperationalError):
        open_to(bouncer, **keywords)


def loses(connection, sql="SELECT pg_sleep(30)"):
    with pytest.raises(psycopg2.Error):
        connection.cursor().execute(sql)


@contextlib.contextmanager
def watched(bouncer, tmp_path):
    log = {"files": [str(bouncer.settings["logfile"])], "format": "pgbouncer", "state_file": str(tmp_path / "state")}
    with Exporter({"targets": [{"name": "pooler", "dsn": bouncer.dsn(), "server_log": log}]}) as exporter:
        eventually(lambda: exporter.metrics().samples(FAMILY), what="the first look at the log")
        yield exporter


def counted(exporter, side, reason):
    return exporter.metrics().value(FAMILY, side=side, reason=reason)


@pytest.fixture
def pooler(new_box, suite, tmp_path):
    """Starts a PgBouncer with these settings in front of a server with a role `monitor`."""
    with contextlib.ExitStack() as stack:

        def start(**settings):
            box = new_box()
            box.psql("CREATE ROLE monitor LOGIN")
            bouncer = PgBouncer(suite, box, **settings)
            bouncer.settings["logfile"] = bouncer.directory / "pgbouncer.log"
            bouncer.directory.chmod(0o777)
            return box, stack.enter_context(bouncer)

        yield start


def test_each_reason_for_which_it_closes_is_counted_by_side(pooler, tmp_path):
    box, bouncer = pooler(query_timeout=3, idle_transaction_timeout=1, client_login_timeout=2, max_client_conn=8)
    with watched(bouncer, tmp_path) as exporter:

        def seen(side, reason, count=1):
            eventually(lambda: counted(exporter, side, reason) >= count, what=f"{side} {reason}")

        loses(open_to(bouncer))
        seen("client", "query_timeout")
        seen("server", "query_timeout")
        transaction = open_to(bouncer)
        transaction.cursor().execute("SELECT 1")
        seen("client", "idle_transaction_timeout")
        open_to(bouncer).close()
        seen("client", "client_closed")
        refused(bouncer, user="ghost")
        eventually(lambda: counted(exporter, "client", "no_user")
                   + counted(exporter, "client", "authentication_failed") == 1, what="a missing user")
        with socket.create_connection(("127.0.0.1", bouncer.port)):
            seen("client", "client_login_timeout")
        with contextlib.ExitStack() as waiting, contextlib.suppress(psycopg2.OperationalError):
            for _ in range(9):  # the exporter is a client as well
                waiting.enter_context(contextlib.closing(open_to(bouncer)))
        seen("client", "max_client_conn")
        session = open_to(bouncer)
        session.autocommit = True
        session.cursor().execute("SELECT 1")
        box.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monitor'")
        seen("server", "server_lost")
        assert counted(exporter, "client", "other") == counted(exporter, "server", "other") == 0
        assert exporter.metrics().sum("pgconn_log_parse_errors_total") == 0


def ask(bouncer):
    with contextlib.closing(open_to(bouncer)) as session:
        session.cursor().execute("SELECT 1")
        session.commit()


@pytest.mark.parametrize("setting", ["server_lifetime", "server_idle_timeout"])
def test_what_recycles_a_servers_connections_is_counted(pooler, setting, tmp_path):
    _, bouncer = pooler(**{setting: 1})
    with watched(bouncer, tmp_path) as exporter:
        ask(bouncer)
        eventually(lambda: counted(exporter, "server", setting) >= 1, what=setting)


def test_a_reconnect_that_an_administrator_asks_for_is_counted(pooler, tmp_path):
    _, bouncer = pooler()
    with watched(bouncer, tmp_path) as exporter:
        ask(bouncer)
        bouncer.console("RECONNECT")
        eventually(lambda: counted(exporter, "server", "reconnect") >= 1, what="RECONNECT")
