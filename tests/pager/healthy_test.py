"""An hour of a healthy shop: nothing but the watchdog may fire.

Its server is configured as our findings advise. On PostgreSQL's defaults PgConnTimeoutMissing (info: it pages nobody)
fires too, and rightly: the timeouts that end forgotten sessions and transactions are 0 there, which is worth a decision.
"""

import threading
import time

import psycopg2
import pytest

from tests.alerts import rulebook
from tests.support.certificates import DAY, Authority
from tests.support.process import eventually

pytestmark = pytest.mark.alone

# Scraped each second with rules sixty times faster: an hour of a minute's interval.
HOUR = 60.0
# The longest wait of an alert that is not about days is one hour (PgConnCertificateExpiry): it must end as well.
WATCHED = 1.3 * HOUR
PREFIX = "%m [%p] %e %q%u@%d "
# What our own advice is: see the findings.
WELL_KEPT = {
    "max_connections": 60, "idle_in_transaction_session_timeout": "60s", "idle_session_timeout": "1h",
    "statement_timeout": "5min",
    "tcp_keepalives_idle": 60, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 6,
    "log_connections": "on", "log_disconnections": "on", "log_line_prefix": PREFIX,
}
# What a healthy shop has none of, or only now and then.
ABSENT_IN_HEALTH = {
    "pgconn_blocked_by_idle_in_transaction", "pgconn_idle_in_transaction_timeout_ratio", "pgconn_idle_dropped_seconds",
    "pgconn_plaintext_remote_sessions", "pgconn_database_connection_limit", "pgconn_collector_skipped",
}


class Shop:
    """Well-behaved clients: some hold a session and query, some come and go. A context manager."""

    def __init__(self, box):
        self._box = box
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._hold, self._hold, self._hold, self._come_and_go)]
        self.errors = []

    def _hold(self):
        try:
            connection = psycopg2.connect(self._box.dsn("shop", application_name="pool"))
            while not self._stop.wait(0.05):
                cursor = connection.cursor()
                cursor.execute("UPDATE orders SET total = total + 1 WHERE id = %s", [threading.get_ident() % 100])
                cursor.execute("SELECT count(*) FROM orders")
                connection.commit()
            connection.close()
        except psycopg2.Error as error:
            self.errors.append(str(error))

    def _come_and_go(self):
        try:
            while not self._stop.wait(0.1):
                self._box.psql("SELECT sum(total) FROM orders", "shop")
        except psycopg2.Error as error:
            self.errors.append(str(error))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(10)


def without_data(prometheus, seconds):
    """What alerts are computed from but was missing at some time: their silence proves nothing about these."""
    needed = set().union(*(rulebook.metrics_of(rule.expr) for rule in rulebook.read_rules(rulebook.ROOT / "alerts")))
    return {name for name in needed if name.startswith("pgconn_")
            and not (prometheus.query(name) and prometheus.query(f"{name} offset {seconds:.0f}s"))}


@pytest.mark.parametrize("version", [15, 18])
def test_an_hour_of_healthy_work_fires_nothing_but_the_watchdog(version, new_box, watch, tmp_path):
    newer = {"transaction_timeout": "10min"} if version >= 17 else {}
    box = new_box(version, **WELL_KEPT, **newer)
    box.psql("CREATE ROLE shop LOGIN CONNECTION LIMIT 40; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor;"
             "CREATE TABLE orders AS SELECT n AS id, 0 AS total FROM generate_series(0, 99) n;"
             "GRANT ALL ON orders TO shop")
    # As often as a healthy exporter probes in an hour, and as patiently: a busy machine is not the server's fault.
    probes = {"connect": {"interval": "6s", "timeout": "5s"}, "roundtrip": {"interval": "6s", "timeout": "5s"},
              "idle": {"ladder": ["1s", "2s", "5s", "10s"], "canaries": 2, "timeout": "5s"},
              "certificate": {"interval": "6s", "timeout": "5s"}}
    revoked = Authority(tmp_path / "authority", "Root").revocation_list(time.time() + 7 * DAY)
    target = {"name": "orders", "dsn": box.dsn("monitor"), "labels": {"cluster": "shop"}, "path_idle_limit": "2m",
              "host": True, "server_log": {"files": [str(box.directory / "log")], "line_prefix": PREFIX},
              "files": [{"name": "crl", "path": str(revoked)}]}
    with Shop(box) as shop:
        _, pager = watch([target], probes)
        eventually(lambda: pager.prometheus.query("pgconn_up == 1 and on () pgconn_certificate_verified == 1"), 60,
                   "a scrape, after a look at the certificate")
        begin = time.monotonic()
        eventually(lambda: time.monotonic() - begin > WATCHED, WATCHED + 30, "the hour")
        assert not shop.errors
    # Not its very beginning: Prometheus began to evaluate before it had scraped.
    fired = pager.prometheus.query(
        f'count by (alertname) (count_over_time(ALERTS{{alertstate="firing"}}[{WATCHED - 3:.0f}s]))')
    assert [labels["alertname"] for labels, _ in fired] == ["PgConnWatchdog"]
    assert without_data(pager.prometheus, HOUR) - ABSENT_IN_HEALTH == set()
    pager.webhook.wait("PgConnWatchdog")
    assert {notice.name for notice in pager.webhook.notices if notice.at > begin + 3} <= {"PgConnWatchdog"}
