"""Passwords: every way to give one works, and none is ever shown."""

from pathlib import Path

import pytest

from tests.support.exporter import run
from tests.support.peers import refusing
from tests.support.process import eventually


def everything_shown(exporter):
    """All that anybody but the exporter's owner can see of it."""
    pages = [exporter.get(path).text for path in
             ("/", "/metrics", "/metrics?target=x", "/metrics?collect[]=x", "/nowhere", "/-/healthy", "/-/ready")]
    command_line = Path(f"/proc/{exporter.process.pid}/cmdline").read_text()
    return "\n".join([*pages, *exporter.log_lines, command_line])


def monitor_dsn(box, **keywords):
    return box.dsn("monitor", **keywords)


@pytest.fixture
def ways(guarded, tmp_path):
    """Ways to give the password: (target without its dsn, dsn, environment)."""

    def secret_file(name, text):
        path = tmp_path / name
        path.touch(0o600)
        path.write_text(text)
        return str(path)

    password = guarded.password
    service = f"[guarded]\nhost=127.0.0.1\nport={guarded.port}\npassword={password}\n"
    return {
        "password_file": ({"password_file": secret_file("password", password + "\n")}, {}, {}),
        "password_env": ({"password_env": "MONITOR_SECRET"}, {}, {"MONITOR_SECRET": password}),
        "PGPASSWORD": ({}, {}, {"PGPASSWORD": password}),
        "PGPASSFILE": ({}, {}, {"PGPASSFILE": secret_file("pgpass", f"*:*:*:monitor:{password}\n")}),
        "passfile": ({}, {"passfile": secret_file("passfile", f"*:*:*:monitor:{password}\n")}, {}),
        "service": ({}, {"service": "guarded"}, {"PGSERVICEFILE": secret_file("services", service)}),
    }


@pytest.mark.parametrize("way", ["password_file", "password_env", "PGPASSWORD", "PGPASSFILE", "passfile", "service"])
def test_the_password_reaches_the_server_and_nobody_else(way, ways, guarded, run_exporter):
    keys, keywords, environment = ways[way]
    target = {"name": "guarded", "dsn": monitor_dsn(guarded, **keywords), **keys}
    exporter = run_exporter({"targets": [target]}, "--log.level=debug", env=environment)
    assert exporter.metrics().value("pgconn_up") == 1, exporter.process.log_tail()
    # A lost session makes it say more.
    guarded.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monitor'")
    assert exporter.metrics().value("pgconn_up") == 1
    assert guarded.password not in everything_shown(exporter)


def test_passwords_of_targets_that_fail_are_shown_no_more(guarded, tmp_path, run_exporter):
    wrong = "wrong-horse-battery"
    (tmp_path / "wrong").write_text(wrong + "\n")
    with refusing() as port:
        secret = {"password_file": str(tmp_path / "wrong")}
        exporter = run_exporter({"targets": [
            {"name": "wrong", "dsn": monitor_dsn(guarded), **secret},
            {"name": "refused", "dsn": f"host=127.0.0.1 port={port} user=monitor", **secret},
            {"name": "stranger", "dsn": guarded.dsn("stranger"), **secret},
            {"name": "nowhere", "dsn": guarded.dsn(dbname="nowhere"), **secret},
            {"name": "no-certificate", "dsn": monitor_dsn(guarded, sslrootcert=str(tmp_path / "none.crt")), **secret},
        ]}, "--log.level=debug", env={"PGPASSWORD": wrong})
        assert exporter.metrics().sum("pgconn_up") == 0
        shown = everything_shown(exporter)
    assert "28P01" in shown
    assert wrong not in shown


@pytest.mark.parametrize("text", [
    "targets:\n  - name: one\n    dsn: host=db user=u password={secret}\n",
    "targets:\n  - name: one\n    dsn: postgresql://u:{secret}@db/postgres\n",
    "targets:\n  - name: one\n    dsn: postgresql://u:x@{secret}@db/postgres\n",
    "targets:\n  - name: one\n    dsn: host=db user=u passwort={secret}\n",
    "targets:\n  - name: one\n    dsn: host=db user=u password='{secret}\n",
    "targets:\n  - name: one\n    dsn: host=db\n    password: {secret}\n",
    "targets:\n  - name: one\n    dsn: host=db\n    password_env: {secret}\n",
    "targets:\n  - name: one\n    dsn: host=db\n    password_file: {secret}\n    password_env: X\n",
    "targets: [{{name: one, dsn: 'host=db password={secret}'\n",
], ids=["dsn", "URI", "URI with an at sign", "misspelt keyword", "open quote", "unknown key", "as variable",
        "as file", "open bracket"])
def test_a_password_in_a_refused_file_is_not_repeated(text, tmp_path):
    secret = "S3cret-horse!"
    path = tmp_path / "config.yml"
    path.write_text(text.format(secret=secret))
    for command in (["check-config", str(path)], [f"--config.file={path}", "--web.listen-address=127.0.0.1:0"]):
        status, output = run(*command)
        assert status == 1
        assert str(path) in output and secret not in output


def test_a_rotated_password_is_used_from_the_next_connection_on(guarded, tmp_path, run_exporter):
    path = tmp_path / "password"
    path.write_text("first\n")
    guarded.psql("CREATE ROLE rotating LOGIN PASSWORD 'first'; GRANT pg_monitor TO rotating")
    guarded.hba("host all monitor,rotating 127.0.0.1/32 scram-sha-256")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotating'"
    exporter = run_exporter({"targets": [
        {"name": "one", "dsn": guarded.dsn("rotating"), "password_file": str(path)},
    ]})
    assert exporter.metrics().value("pgconn_up") == 1

    guarded.psql("ALTER ROLE rotating PASSWORD 'second'")
    assert exporter.metrics().value("pgconn_up") == 1, "the held session does not need it"
    path.write_text("second\n")
    guarded.psql(cut)
    assert exporter.metrics().value("pgconn_up") == 1

    # The other way round: the server is ahead of the file for a while.
    guarded.psql("ALTER ROLE rotating PASSWORD 'third'")
    guarded.psql(cut)
    families = exporter.metrics()
    assert families.value("pgconn_up") == 0
    assert families.value("pgconn_scrape_errors_total", reason="authentication", sqlstate="28P01") == 1
    path.write_text("third\n")
    assert eventually(lambda: exporter.metrics().value("pgconn_up")) == 1
    guarded.hba("host all monitor 127.0.0.1/32 scram-sha-256")
