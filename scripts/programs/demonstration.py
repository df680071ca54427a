"""The demo, once everything is built and installed. It ends everything that it started, however it is ended itself."""

import contextlib
import secrets
import socket
import sys
import threading

import psycopg2

from scripts.programs import drill, grafana
from scripts.programs.progress import step
from tests.support.exporter import Exporter
from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Failed, Unavailable, eventually, free_port
from tests.support.pager import Pager
from tests.support.workload import Workload

CONFIG = """\
targets:
  - name: shop
    dsn: {dsn}
    password_file: {password_file}
    labels: {{cluster: demo}}
"""


def port_for(usual, mode):
    """The usual port if nothing listens there, else a free one."""
    if mode == "forever":
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", usual))
            return usual
    return free_port()


def start_postgres(stack, idle_timeout):
    """Starts the newest PostgreSQL available, 15 or later."""
    for version in sorted((v for v in known_versions() if v >= 15), reverse=True):
        box = stack.enter_context(PgBox(version))
        try:
            return box.start(idle_in_transaction_session_timeout=f"{idle_timeout}s", tcp_keepalives_idle=0)
        except Unavailable as reason:
            print(f"   PostgreSQL {version} cannot be had: {reason}", file=sys.stderr)
    raise Unavailable("no PostgreSQL from 15 on can be had here")


def create_monitor(box):
    """Creates the role that the exporter logs in as, with SCRAM over TLS only; returns its password."""
    password = secrets.token_urlsafe(18)
    box.psql(
        f"CREATE ROLE pgconn LOGIN PASSWORD '{password}' CONNECTION LIMIT 8; GRANT pg_monitor TO pgconn"
    )
    box.hba("hostssl all pgconn 127.0.0.1/32 scram-sha-256", "host all pgconn all reject")
    return password


def make_exporter(box, password, mode):
    exporter = Exporter(None, port=port_for(10187, mode))
    password_file = exporter.write_secret("password", password)
    dsn = f"host=localhost hostaddr=127.0.0.1 port={box.port} dbname=postgres user=pgconn " \
          f"sslmode=verify-full sslrootcert={box.ca}"
    exporter.config = CONFIG.format(dsn=dsn, password_file=password_file)
    if mode == "drill":
        exporter.config = drill.CONFIG + exporter.config
    return exporter


def tell(notice):
    """Prints alerts that would wake somebody, as they arrive."""
    if notice.name != "PgConnWatchdog":
        print(f"   {notice.receiver}: {notice.status}: {notice.annotations['summary']}", file=sys.stderr, flush=True)


def print_summary(prometheus):
    """Prints what the exporter saw, according to Prometheus."""

    def line(words, value):
        print(f"  {' '.join(f'{word:<12}' for word in words):<44} {value}")

    def table(title, promql, *labels):
        print(f"\n{title}")
        for found, value in sorted(prometheus.query(promql), key=lambda row: sorted(row[0].items())):
            line([found.get(label, "") for label in labels], f"{value:g}")

    server = prometheus.query("pgconn_target_info")[0][0]
    scrapes = prometheus.value("count_over_time(pgconn_up[1h])")
    print(f"\n{server['target']}: PostgreSQL {server['server_version']}, {server['role']}; {scrapes:g} scrapes")
    table("sessions", "sum by (state) (pgconn_sessions) > 0", "state")
    idle = prometheus.value('max(pgconn_session_state_oldest_seconds{state="idle in transaction"})')
    print()
    line(["oldest idle transaction"], f"{idle:.1f} s")
    table("blocked behind an idle transaction (user and application that hold it)",
          "sum by (user, application) (pgconn_blocked_by_idle_in_transaction) > 0", "user", "application")
    table("transport", "sum by (transport, origin) (pgconn_transport_sessions) > 0", "transport", "origin")
    print("\nfindings (`pgconn_exporter list findings` explains them)")
    severities = ["critical", "warning", "info"]
    findings = [found for found, _ in prometheus.query("pgconn_finding == 1")]
    for found in sorted(findings, key=lambda found: (severities.index(found["severity"]), found["finding"])):
        subject = "" if found["subject"] == "server" else found["subject"]
        print(f"  {found['severity']:<9} {found['finding']}  {subject}".rstrip())


def expect_complete(prometheus):
    """Raises unless the exporter saw everything that the workload does."""
    for promql in (
        "pgconn_up == 1",
        'sum(pgconn_sessions{state="idle in transaction"}) > 0',
        "sum(pgconn_blocked_by_idle_in_transaction) > 0",
        'sum(pgconn_transport_sessions{transport="tls"}) > 0',
        'sum(pgconn_transport_sessions{transport="plain"}) > 0',
        "count(pgconn_finding == 1) > 0",
    ):
        eventually(lambda promql=promql: prometheus.query(promql), 30, promql)


def wait_until_scraped(prometheus, exporter, box):
    try:
        with step("waiting for Prometheus to scrape twice"):
            eventually(lambda: (prometheus.value("count_over_time(pgconn_up[1h])") or 0) >= 2, 60, "two scrapes")
            expect_complete(prometheus)
    except TimeoutError as error:
        raise Failed(f"{error}\nexporter:\n{exporter.process.log_tail()}\n"
                     f"PostgreSQL:\n{box.log()[-2000:]}") from None


def print_addresses(exporter, pager, box):
    print(f"\nexporter      {exporter.url}/  {exporter.url}/metrics  {exporter.url}/runbooks/"
          f"\nPrometheus    {pager.prometheus.url}/alerts  {pager.prometheus.url}/graph?g0.expr=pgconn_sessions"
          f"\nAlertmanager  {pager.alertmanager.url}/"
          f"\nPostgreSQL    {box.dsn()}", flush=True)


def run(mode):
    drilling = mode == "drill"
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: print("-- everything ended", file=sys.stderr))
        with step("PostgreSQL: download if missing, start"):
            box = start_postgres(stack, drill.IDLE_TIMEOUT if drilling else 0)
            password = create_monitor(box)
        with step("workload: " + ("idle and active" if drilling else "idle, active, idle in transaction, blocked")
                  + "; TLS, plain and Unix clients"):
            stack.enter_context(Workload(box, blocked=not drilling))
        exporter = make_exporter(box, password, mode)
        with step("pgconn_exporter"):
            stack.enter_context(exporter)
        pager = Pager(exporter, factor=drill.FACTOR if drilling else 1, interval="5s" if mode == "forever" else "1s",
                      ports=(port_for(9090, mode), port_for(9093, mode)),
                      on_notice=tell if mode == "forever" else lambda notice: None)
        with step("Prometheus with the rules, Alertmanager, a webhook: download if missing, start"):
            stack.enter_context(pager)
        if drilling:
            drill.drill(box, pager)
            return
        wait_until_scraped(pager.prometheus, exporter, box)
        print_summary(pager.prometheus)
        if mode == "forever":
            with grafana.beside(pager.prometheus.url) as address:
                print_addresses(exporter, pager, box)
                print(f"Grafana       {address or grafana.HOW}\n\nWhat would wake somebody is told here."
                      " Ctrl-C ends it all.", flush=True)
                threading.Event().wait()


def show(mode):
    """Runs the demo and returns its exit status. `mode` is forever, once or drill."""
    try:
        run(mode)
    except KeyboardInterrupt:
        return 0 if mode == "forever" else 130
    except (Failed, Unavailable, TimeoutError, psycopg2.Error) as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 1
    return 0
