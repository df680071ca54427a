"""Each way a target can be set up wrongly: the log says what is wrong and what to do, the exporter
keeps running, and collects as soon as the cause is fixed."""

import contextlib
import shutil

import pytest

from tests.support.logfmt import records
from tests.support.peers import Relay
from tests.support.pgbox import PgBox
from tests.support.process import eventually


@pytest.fixture(scope="module")
def box(newest):
    """A server to set up wrongly; fixing it makes it good for the next test."""
    with PgBox(newest.version).start() as server:
        yield server


def logged(exporter, message, **fields):
    """The records of a line; waits for the first."""
    return eventually(lambda: records(exporter.log_lines, message, **fields), what=message)


def scrape_down_then_mend(exporter, mend, timeout=30.0):
    """Expects the target to be down, fixes it, expects it up; returns what the log said."""
    for _ in range(2):
        assert exporter.metrics().value("pgconn_up") == 0
    [told] = logged(exporter, "target cannot be collected", target="one")
    mend()
    eventually(lambda: exporter.metrics().value("pgconn_up") == 1, timeout, "the target up again")
    logged(exporter, "target is up", target="one")
    return told


def says(told, reason, *words):
    assert told["reason"] == reason
    text = f'{told["error"]} {told["do"]}'
    assert [word for word in words if word not in text] == [], text


@pytest.fixture
def collect(box, run_exporter):
    """collect(dsn, …) starts an exporter with that target, called `one`."""

    def start(dsn=None, **keys):
        return run_exporter({"targets": [{"name": "one", "dsn": dsn or box.dsn(), **keys}]})

    return start


def test_a_wrong_password(box, collect, tmp_path):
    path = tmp_path / "password"
    path.write_text("wrong\n")
    box.psql("CREATE ROLE locked LOGIN PASSWORD 'right'; GRANT pg_monitor TO locked")
    box.hba("host all locked 127.0.0.1/32 scram-sha-256")
    exporter = collect(box.dsn("locked"), password_file=str(path))
    told = scrape_down_then_mend(exporter, lambda: path.write_text("right\n"))
    says(told, "authentication", '"locked"', "check role, password and pg_hba.conf")


def test_no_password_where_one_is_needed(box, collect):
    box.psql("CREATE ROLE unaware LOGIN PASSWORD 'right'")
    box.hba("host all unaware 127.0.0.1/32 scram-sha-256")
    told = scrape_down_then_mend(collect(box.dsn("unaware")), box.hba)
    says(told, "password_missing", "password_file", "password_env", "passfile")


def test_a_password_file_that_is_missing_then_empty(box, collect, tmp_path):
    path = tmp_path / "password"
    exporter = collect(password_file=str(path))
    assert exporter.metrics().value("pgconn_up") == 0
    path.touch()
    told = scrape_down_then_mend(exporter, lambda: path.write_text("any\n"))
    says(told, "config", str(path), "No such file", "first line")


def test_a_role_that_does_not_exist(box, collect):
    told = scrape_down_then_mend(collect(box.dsn("late")), lambda: box.psql("CREATE ROLE late LOGIN"))
    says(told, "role_missing", 'role "late" does not exist', "role")


def test_a_role_that_pg_hba_rejects(box, collect):
    box.psql("CREATE ROLE unwanted LOGIN")
    box.hba("host all unwanted all reject")
    told = scrape_down_then_mend(collect(box.dsn("unwanted")), box.hba)
    says(told, "authentication", "pg_hba.conf", "unwanted")


def test_a_database_that_does_not_exist(box, collect):
    told = scrape_down_then_mend(collect(box.dsn(dbname="late")), lambda: box.psql("CREATE DATABASE late"))
    says(told, "database", 'database "late" does not exist', "dbname")


def test_a_database_that_the_role_may_not_connect_to(box, collect):
    box.psql("CREATE ROLE outsider LOGIN")
    box.psql("CREATE DATABASE closed")
    box.psql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    told = scrape_down_then_mend(
        collect(box.dsn("outsider", dbname="closed")),
        lambda: box.psql("GRANT CONNECT ON DATABASE closed TO outsider"))
    says(told, "permission", "closed", "CONNECT")


def test_the_roles_own_limit_reached(box, collect):
    box.psql("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(contextlib.closing(box.connect("narrow")))
        told = scrape_down_then_mend(collect(box.dsn("narrow")), taken.close)
    says(told, "role_limit", "narrow", "CONNECTION LIMIT")


def test_tls_that_the_server_does_not_offer(box, collect):
    def ssl(state):
        local = {"host": box.socket_directory, "sslmode": None, "sslrootcert": None}
        box.psql(f"ALTER SYSTEM SET ssl = {state}", **local)
        box.psql("SELECT pg_reload_conf()", **local)
        eventually(lambda: box.psql("SHOW ssl", **local) == [(state,)])

    ssl("off")
    told = scrape_down_then_mend(collect(), lambda: ssl("on"))
    says(told, "tls_unsupported", "ssl on")


def test_another_certificate_authority(box, collect, tmp_path):
    authority = tmp_path / "ca.crt"
    shutil.copy(box.directory / "tls" / "client.crt", authority)
    told = scrape_down_then_mend(
        collect(box.dsn(sslrootcert=str(authority))), lambda: shutil.copy(box.ca, authority))
    says(told, "tls_verify", "certificate verify failed", "sslrootcert")


def test_a_certificate_authority_file_that_is_missing(box, collect, tmp_path):
    authority = tmp_path / "ca.crt"
    told = scrape_down_then_mend(
        collect(box.dsn(sslrootcert=str(authority))), lambda: shutil.copy(box.ca, authority))
    says(told, "config", str(authority), "does not exist")


@pytest.mark.parametrize("certificate, reason, words", [
    ("wronghost", "tls_hostname", ["db.example", "127.0.0.1", "certificate"]),
    ("expired", "tls_verify", ["expir"]),
])
def test_an_unusable_certificate(certificate, reason, words, box, collect):
    tls = box.directory / "tls"
    box.stop()
    box.start(ssl_cert_file=tls / f"{certificate}.crt", ssl_key_file=tls / f"{certificate}.key")

    def mend():
        box.stop()
        box.start(ssl_cert_file=tls / "server.crt", ssl_key_file=tls / "server.key")

    says(scrape_down_then_mend(collect(), mend), reason, *words)


def test_a_name_that_does_not_resolve(box, collect):
    exporter = collect(box.dsn(host="database.invalid"))
    assert exporter.metrics().value("pgconn_up") == 0
    [told] = logged(exporter, "target cannot be collected")
    says(told, "resolve", "database.invalid", "resolver")


def test_a_server_that_is_not_there_yet(box, collect):
    box.stop()
    told = scrape_down_then_mend(collect(), box.start)
    says(told, "refused", "listen_addresses")


def test_a_server_that_says_nothing_about_itself_is_down_and_reported_once(box, collect):
    box.psql("CREATE ROLE muzzled LOGIN")
    box.psql("REVOKE EXECUTE ON FUNCTION pg_postmaster_start_time() FROM PUBLIC")
    told = scrape_down_then_mend(
        collect(box.dsn("muzzled")),
        lambda: box.psql("GRANT EXECUTE ON FUNCTION pg_postmaster_start_time() TO PUBLIC"))
    says(told, "permission", "pg_postmaster_start_time")


def test_missing_privileges_cost_only_what_needs_them_and_the_grant_is_reported_once(box, collect):
    box.psql("CREATE ROLE shy LOGIN")
    denied = box.log_count("permission denied")
    exporter = collect(box.dsn("shy"))
    for _ in range(3):
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert families.value("pgconn_collector_skipped", collector="sessions", reason="privilege") == 1
        assert families.value("pgconn_collector_success", collector="limits") == 1
    skipped = logged(exporter, "collectors did not run", collectors="sessions,blocking,transport")
    assert len(skipped) == 1 and "GRANT pg_monitor" in skipped[0]["error"] and skipped[0]["role"] == "shy"
    assert "GRANT pg_monitor TO" in exporter.get("/").text
    assert box.log_count("permission denied") == denied, "what is known to be denied is not asked for"
    box.psql("GRANT pg_monitor TO shy")
    families = exporter.metrics()
    assert families.value("pgconn_collector_success", collector="sessions") == 1
    assert families.samples("pgconn_collector_skipped") == []


def test_an_address_where_nothing_answers_yet(box, run_exporter):
    with Relay(1) as relay:
        exporter = run_exporter({"targets": [{"name": "one", "dsn": box.dsn(port=relay.port)}]})

        def mend():
            relay.destination = box.port

        told = scrape_down_then_mend(exporter, mend)
    assert told["reason"] in ("closed", "reset")
