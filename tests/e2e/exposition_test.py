"""The exposition of a known scene, name by name and label by label, and the generated documents."""

import contextlib
import threading
from pathlib import Path

import psycopg2
import pytest

from tests.e2e.golden_files import expect_golden, without_values
from tests.support.exporter import run
from tests.support.packages import known_versions
from tests.support.process import REPOSITORY, eventually
from tests.support.prometheus import promtool

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
SETTLED = """SELECT count(*) = 5 AND bool_or(wait_event_type = 'Lock')
             FROM pg_stat_activity WHERE backend_type = 'client backend'"""


def try_to_run(session, sql):
    with contextlib.suppress(psycopg2.Error):
        session.cursor().execute(sql)


@pytest.fixture
def make_scene(new_box):
    """make_scene(version): a server with a session of each kind where nothing else moves."""
    with contextlib.ExitStack() as stack:

        def make(version):
            box = new_box(version, autovacuum="off")
            box.psql("CREATE ROLE shopper LOGIN CONNECTION LIMIT 9;"
                     "ALTER ROLE shopper SET idle_in_transaction_session_timeout = '10min'")
            box.psql("CREATE DATABASE shop CONNECTION LIMIT 8")
            box.psql("CREATE TABLE orders AS SELECT 1 AS id; GRANT ALL ON orders TO shopper", dbname="shop")

            def client(name, **keywords):
                session = box.connect("shopper", dbname="shop", application_name=name, **keywords)
                return stack.enter_context(contextlib.closing(session))

            socket = {"host": box.socket_directory, "sslmode": None, "sslrootcert": None}
            watcher = client("unix", **socket).cursor()
            client(r'"quoted" \\ back')
            client("plain", sslmode="disable")
            client("batch").cursor().execute("BEGIN; SELECT * FROM orders FOR UPDATE")
            checkout = client("checkout")
            stack.callback(checkout.cancel)
            threading.Thread(
                target=try_to_run, args=(checkout, "SELECT * FROM orders FOR UPDATE"), daemon=True
            ).start()

            def settled():
                watcher.execute(SETTLED)
                return watcher.fetchone()[0]

            eventually(settled, what="the scene")
            return box

        yield make


@pytest.mark.parametrize("version", known_versions())
def test_the_exposition_of_a_known_scene_is_the_golden_one(version, make_scene, run_exporter):
    scene = make_scene(version)
    exporter = run_exporter({
        "targets": [
            {"name": "shop", "dsn": scene.dsn(), "labels": {"cluster": "orders", "note": 'a "b" \\ c'}},
        ],
        "probes": {"certificate": {"interval": "1s", "timeout": "900ms"}, "duration_buckets": [1]},
    })
    eventually(lambda: exporter.metrics().value("pgconn_probe_success", probe="certificate") == 1)
    text = exporter.get("/metrics").text
    assert exporter.metrics().value("pgconn_up") == 1
    expect_golden(f"pg{version}.txt", without_values(text))
    if version == 15:
        expect_golden("pg15.openmetrics.txt", without_values(exporter.get("/metrics", OPENMETRICS).text))


def test_promtool_has_nothing_to_say_about_targets_that_are_up_or_down(newest, run_exporter):
    newest.psql("CREATE ROLE shy LOGIN")
    try:
        exporter = run_exporter({"targets": [
            {"name": "up", "dsn": newest.dsn()},
            {"name": "shy", "dsn": newest.dsn("shy")},
            {"name": "down", "dsn": newest.dsn(dbname="nowhere")},
        ]})
        exporter.metrics()
        text = exporter.get("/metrics").text
        assert promtool("check", "metrics", stdin=text) == (0, "")
    finally:
        newest.psql("DROP ROLE shy")


@pytest.mark.parametrize("document, arguments", [
    ("docs/metrics.md", ("list", "metrics", "--format=markdown")),
    ("docs/configuration.md", ("list", "configuration")),
])
def test_a_generated_document_is_what_the_program_prints(document, arguments):
    status, printed = run(*arguments)
    assert status == 0
    committed = Path(REPOSITORY, document).read_text()
    assert printed + "\n" == committed, f"regenerate it: pgconn_exporter {' '.join(arguments)} > {document}"
