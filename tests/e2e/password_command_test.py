"""password_command: a program that prints the password, such as a cloud's token of some minutes."""

import pytest

from tests.support import exposition
from tests.support.logfmt import records
from tests.support.pgbox import PgBox
from tests.support.process import eventually


@pytest.fixture(scope="module")
def box(newest):
    """A server where `monitor` needs a password."""
    with PgBox(newest.version).start() as server:
        server.psql("CREATE ROLE monitor LOGIN PASSWORD 'first-token'; GRANT pg_monitor TO monitor")
        server.hba("host all monitor 127.0.0.1/32 scram-sha-256")
        yield server


@pytest.fixture
def token(tmp_path):
    """A program that notes each run, with the server it is for, and prints the content of a file."""
    class Token:
        file = tmp_path / "token"
        noted = tmp_path / "runs"
        words = ["sh", "-c", f'echo "$PGHOST:$PGPORT $PGUSER/$PGDATABASE" >> {noted}; cat {file}']

        def runs(self):
            return self.noted.read_text().splitlines() if self.noted.exists() else []

    made = Token()
    made.file.write_text("first-token\nwhat follows is not part of it\n")
    return made


def up(exporter, target="one"):
    return exporter.metrics().value("pgconn_up", target=target)


def reconnect(box):
    box.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monitor'")


def test_its_answer_serves_all_connections_for_a_while(box, run_exporter, token):
    exporter = run_exporter({"targets": [{
        "name": "one", "dsn": box.dsn("monitor"), "password_command": token.words,
        "probes": {"connect": True, "roundtrip": True, "idle": True},
    }]})
    assert up(exporter) == 1
    eventually(lambda: exporter.metrics().value("pgconn_held_connections", probe="idle") == 2)
    reconnect(box)
    eventually(lambda: up(exporter) == 1)
    assert token.runs() == [f"127.0.0.1:{box.port} monitor/postgres"]


def test_without_a_lifetime_each_connection_asks(box, run_exporter, token):
    exporter = run_exporter({"targets": [{
        "name": "one", "dsn": box.dsn("monitor"), "password_command": token.words, "password_lifetime": "0"}]})
    assert up(exporter) == 1 and len(token.runs()) == 1
    reconnect(box)
    eventually(lambda: up(exporter) == 1 and len(token.runs()) >= 2)


def test_a_token_that_is_refused_is_asked_for_again(box, run_exporter, token):
    exporter = run_exporter({"targets": [{
        "name": "one", "dsn": box.dsn("monitor"), "password_command": token.words, "password_lifetime": "1d"}]})
    assert up(exporter) == 1
    box.psql("ALTER ROLE monitor PASSWORD 'second-token'")
    token.file.write_text("second-token\n")
    try:
        reconnect(box)
        eventually(lambda: up(exporter) == 1, what="a login with the new token")
        assert len(token.runs()) >= 2
    finally:
        box.psql("ALTER ROLE monitor PASSWORD 'first-token'")


@pytest.mark.parametrize("words, reason, message", [
    (["sh", "-c", "echo ExpiredToken: log in again >&2; exit 254"], "config",
     "password_command sh ended with status 254: ExpiredToken: log in again"),
    (["sh", "-c", "true"], "config", "printed no password on its first line"),
    (["/nonexistent/aws", "rds"], "config", "it cannot be started: No such file or directory"),
    (["sleep", "600"], "timeout", "password_command sleep did not end in time; raise connect_timeout"),
])
def test_a_command_that_fails_says_why_and_harms_no_other_target(box, run_exporter, words, reason, message):
    exporter = run_exporter({"targets": [
        {"name": "one", "dsn": box.dsn("monitor"), "password_command": words, "connect_timeout": "1s"},
        {"name": "healthy", "dsn": box.dsn()},
    ]})
    families = exporter.metrics()
    assert families.value("pgconn_up", target="one") == 0 and families.value("pgconn_up", target="healthy") == 1
    [told] = eventually(lambda: records(exporter.log_lines, "target cannot be collected", target="one"))
    assert told["phase"] == "config" and told["reason"] == reason and message in told["error"], told


def test_no_answer_of_it_is_shown_anywhere(box, run_exporter, token):
    token.file.write_text("wrong-but-secret\n")
    exporter = run_exporter(
        {"targets": [{"name": "one", "dsn": box.dsn("monitor"), "password_command": token.words}]}, "--log.level=debug")
    assert up(exporter) == 0
    eventually(lambda: records(exporter.log_lines, "target cannot be collected", target="one"))
    shown = exporter.get("/").text + exporter.get("/metrics").text + "\n".join(exporter.log_lines)
    assert "wrong-but-secret" not in shown


def test_auth_modules_may_have_one_too(box, run_exporter, token):
    exporter = run_exporter({"auth_modules": {"any": {
        "allow": ["127.0.0.1"], "dsn": "user=monitor dbname=postgres sslmode=require", "password_command": token.words}}})
    for _ in range(2):
        answer = exporter.get(f"/probe?target=127.0.0.1:{box.port}&auth_module=any")
        assert exposition.parse(answer.text).value("probe_success") == 1, answer.text
    assert token.runs() == [f"127.0.0.1:{box.port} monitor/postgres"]
