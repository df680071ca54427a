"""A small fleet of servers that runs for some minutes, with typical problems: for pictures of the dashboards.

orders          with every kind of problem, behind a middlebox that forgets idle flows
orders-replica  its standby, well
billing         well
stock           nearly full, at times completely; its certificate is about to expire
archive         well, but its exporter's role may not see much
canteen         old, and stopped at the end
"""

import contextlib
import math
import threading
import time

import psycopg2

from tests.dashboards.troubled import TroubledServer, trouble_log, write_crl
from tests.support.exporter import Exporter
from tests.support.midbox import Midbox
from tests.support.pgbox import PgBox
from tests.support.process import eventually
from tests.support.prometheus import Prometheus
from tests.support.workload import Workload

SCRAPE_INTERVAL = "5s"
FORGETS_AFTER = 45
PROBES = {
    "connect": {"interval": "2s", "timeout": "1s"}, "roundtrip": {"interval": "2s", "timeout": "1s"},
    "certificate": {"interval": "10s"},
    "idle": {"ladder": ["10s", "30s", "1m", "90s"], "canaries": 2, "timeout": "1s"},
}
_MONITOR = "CREATE ROLE pgconn LOGIN; GRANT pg_monitor TO pgconn"


class Tide:
    """Clients of one server that come and go: `count(seconds)` of them hold a session. A context manager."""

    def __init__(self, connect, count):
        self._connect = connect
        self._count = count
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._sessions = []

    def _run(self):
        begin = time.monotonic()
        while not self._stop.wait(0.5):
            with contextlib.suppress(psycopg2.Error):  # full, or down: they try again
                self._follow(int(self._count(time.monotonic() - begin)))
        for session in self._sessions:
            session.close()

    def _follow(self, count):
        while len(self._sessions) > count:
            self._sessions.pop(0).close()
        while len(self._sessions) < count:
            self._sessions.append(self._connect())
        for session in self._sessions[::5]:
            with session.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.02)")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)


def wave(mean, height, seconds):
    return lambda now: mean + height * math.sin(2 * math.pi * now / seconds)


class Fleet:
    """The servers, their clients, the exporter and Prometheus. A context manager.

    Its thread is in the network namespace of the clients meanwhile: Prometheus is reachable only from there.
    May raise what PgBox, Midbox and Prometheus raise where they are not available.
    """

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self.boxes = {}
        self.prometheus = None

    def __enter__(self):
        with self._stack:
            midbox = self._stack.enter_context(Midbox(forgets_after=FORGETS_AFTER))
            with midbox.server.inside():
                orders = self._box("orders", 18, max_connections=60, listen_addresses="*")
                orders.hba(f"host all all {midbox.network} trust")
            self._stack.enter_context(midbox.client.inside())
            self.troubled = self._stack.enter_context(TroubledServer(orders))
            self.troubled.prepare()
            orders.psql(_MONITOR, host=orders.socket_directory, sslmode=None, sslrootcert=None)
            with midbox.server.inside():
                self._stack.enter_context(Workload(orders, hold_seconds=25))
            self._start_others(orders)
            exporter = self._stack.enter_context(Exporter({"probes": PROBES, "targets": self._targets()}))
            self.prometheus = self._stack.enter_context(Prometheus({"pgconn": exporter.port}, SCRAPE_INTERVAL))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def _box(self, name, version, **settings):
        self.boxes[name] = box = self._stack.enter_context(PgBox(version))
        return box.start(**settings)

    def _start_others(self, orders):
        self.boxes["orders-replica"] = replica = self._stack.enter_context(PgBox(18))
        replica.start_standby_of(orders)
        billing = self._box("billing", 17, idle_in_transaction_session_timeout="60s", idle_session_timeout="2h")
        stock = self._box("stock", 15, max_connections=40)
        archive = self._box("archive", 13)
        canteen = self._box("canteen", 13)
        for box in (billing, stock, canteen):
            box.psql(_MONITOR)
            self._stack.enter_context(Workload(box, blocked=False))
        archive.psql("CREATE ROLE pgconn LOGIN")
        billing.psql("ALTER ROLE web CONNECTION LIMIT 40; ALTER ROLE report SET statement_timeout = '30s'")
        stock.psql("ALTER ROLE web CONNECTION LIMIT 36")
        stock.psql("CREATE DATABASE shelves CONNECTION LIMIT 20")
        tls = billing.directory / "tls"
        certified = {"sslcert": tls / "client.crt", "sslkey": tls / "client.key"}
        self._tide(billing, wave(12, 6, 170), **certified)
        self._tide(billing, wave(5, 4, 110), ssl_max_protocol_version="TLSv1.2", application_name="invoices")
        self._tide(stock, lambda now: 40 if 200 < now < 225 else 18 + now / 120 + 2 * math.sin(now / 20))
        self._tide(stock, wave(3, 2, 70), dbname="shelves", role="report")

    def _tide(self, box, count, role="web", **keywords):
        keywords = {"application_name": "shop", **keywords}
        self._stack.enter_context(Tide(lambda: box.connect(role, **keywords), count))

    def _targets(self):
        def target(name, cluster, dsn, **more):
            return {"name": name, "dsn": dsn, "labels": {"cluster": cluster}, **more}

        orders = self.boxes["orders"]
        crl = write_crl(orders.directory / "tls")
        beyond = self.troubled.dsn("pgconn", host="localhost", hostaddr="10.77.2.2", sslmode="verify-full",
                                   sslrootcert=orders.ca)
        local = {name: box.dsn("pgconn", host="localhost", hostaddr="127.0.0.1") for name, box in self.boxes.items()}
        return [
            target("orders", "shop", beyond, collectors={"sessions": {"by_client": 5}},
                   files=[{"name": "ca", "path": orders.ca}, {"name": "crl", "path": crl}]),
            target("orders-replica", "shop", local["orders-replica"]),
            target("billing", "office", local["billing"], collectors={"sessions": {"by_client": 5}},
                   max_series_per_metric=5, host=True, server_log=self._log(self.boxes["billing"])),
            target("stock", "office", local["stock"]),
            target("archive", "office", local["archive"]),
            target("canteen", "office", local["canteen"]),
        ]

    @staticmethod
    def _log(box):
        return {"files": [str(box.directory / "log")], "line_prefix": "%m [%p] %e %a %u@%d %h "}

    def _answers(self):
        return self.prometheus.value("sum(pgconn_up)") == len(self.boxes)

    def live(self, seconds, tell):
        """What happens in that time and lasts until its end; `tell` gets it in a few words."""
        eventually(self._answers, 60, "an answer of each server")
        begin = time.monotonic()
        for part, words, action in (
            (0.08, "sessions on orders end badly", self.troubled.end_sessions_badly),
            (0.14, "a backend of orders is killed: all sessions are reset", self.troubled.crash),
            (0.18, "a transaction on orders is left open, and others wait behind it", self.troubled.begin),
            (0.30, "sessions on orders end badly", self.troubled.end_sessions_badly),
            (0.50, "somebody ends what the exporter holds on orders", self.troubled.drop_held),
            (0.60, "stock shows a certificate that ends in two days", self._show_ending),
            (0.68, "sessions on orders end badly", self.troubled.end_sessions_badly),
            (0.70, "billing refuses logins and ends a session", lambda: trouble_log(self.boxes["billing"])),
            (0.80, "canteen is stopped", self.boxes["canteen"].stop),
            (1.00, "that is all", lambda: None),
        ):
            time.sleep(max(0.0, begin + part * seconds - time.monotonic()))
            tell(f"{time.monotonic() - begin:3.0f} s: {words}")
            action()

    def _show_ending(self):
        self.boxes["stock"].use_certificate("ending")
