"""Each finding appears when the setting is wrong and disappears when it is fixed."""

from dataclasses import dataclass

import pytest

from tests.integration.scenes import Scene
from tests.support.process import eventually


@dataclass(frozen=True)
class Case:
    finding: str
    wrong: dict  # the server's settings
    right: dict
    severity: str = "warning"
    subject: str = "server"
    since: int = 13


IDLE = "idle_in_transaction_session_timeout"
KEEPALIVE = {"tcp_keepalives_idle": "60", "tcp_keepalives_interval": "10"}  # of 180 s at most

CASES = [
    Case("idle_in_transaction_timeout_disabled", {IDLE: "0"}, {IDLE: "5min"}),
    Case("idle_in_transaction_timeout_too_low", {IDLE: "900ms"}, {IDLE: "1s"}),
    Case("idle_session_timeout_disabled", {"idle_session_timeout": "0"},
         {"idle_session_timeout": "1h"}, "info", since=14),
    Case("transaction_timeout_disabled", {"transaction_timeout": "0"},
         {"transaction_timeout": "1h"}, "info", since=17),
    Case("statement_timeout_disabled", {"statement_timeout": "0"}, {"statement_timeout": "1h"},
         "info"),
    Case("statement_timeout_global", {"statement_timeout": "1h"}, {"statement_timeout": "0"},
         "info"),
    Case("keepalive_slower_than_path", {"tcp_keepalives_idle": "0"},
         {"tcp_keepalives_idle": "349"}),
    Case("keepalive_slower_than_path", {**KEEPALIVE, "tcp_keepalives_interval": "350"}, KEEPALIVE),
    Case("keepalive_budget_too_long", {**KEEPALIVE, "tcp_keepalives_count": "13"},
         {**KEEPALIVE, "tcp_keepalives_count": "12"}),
    Case("tcp_user_timeout_unset", {"tcp_user_timeout": "0"}, {"tcp_user_timeout": "30s"}, "info"),
    Case("client_connection_check_interval_unset", {"client_connection_check_interval": "0"},
         {"client_connection_check_interval": "10s"}, "info", since=14),
    Case("tls_off", {"ssl": "off"}, {"ssl": "on"}),
    Case("tls_min_protocol_old", {"ssl_min_protocol_version": "TLSv1.1"},
         {"ssl_min_protocol_version": "TLSv1.2"}),
    Case("password_encryption_md5", {"password_encryption": "md5"},
         {"password_encryption": "scram-sha-256"}),
    Case("pending_restart", {"max_connections": "61"}, {"max_connections": "60"}),
]


@pytest.fixture(scope="module")
def watcher(box):
    """An exporter of each version for all cases. TLS is switched off and on: it uses the socket."""
    with Scene(box) as scene:
        dsn = box.dsn(**scene.transport("unix"))
        yield scene.watch(dsn=dsn, target={"path_idle_limit": "350s"})


def findings(exporter):
    families = exporter.metrics("collect[]=settings")
    assert families.value("pgconn_collector_success", collector="settings") == 1
    samples = families.samples("pgconn_finding")
    assert all(sample.value == 1 for sample in samples)
    return {(s.labels["finding"], s.labels["subject"]): s.labels["severity"] for s in samples}


def until_found(exporter, finding, severity, subject="server"):
    eventually(lambda: findings(exporter).get((finding, subject)) == severity, 10, finding)


def until_not_found(exporter, finding, subject="server"):
    eventually(lambda: (finding, subject) not in findings(exporter), 10, f"no {finding}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.finding)
def test_a_finding_lasts_as_long_as_the_server_s_setting_is_wrong(scene, watcher, case):
    if scene.box.version < case.since:
        pytest.skip(f"since PostgreSQL {case.since}")
    scene.alter_system(**case.right)
    until_not_found(watcher, case.finding)
    scene.alter_system(**case.wrong)
    until_found(watcher, case.finding, case.severity)
    scene.alter_system(**case.right)
    until_not_found(watcher, case.finding)


@pytest.mark.parametrize("setting", ["log_connections", "log_disconnections"])
def test_what_the_server_gives_only_to_new_sessions_is_found_by_a_running_exporter(
    scene, watcher, setting
):
    for value, check in (("off", until_found), ("on", until_not_found)):
        scene.alter_system(**{setting: value})
        check(watcher, f"{setting}_off", *(["info"] if check is until_found else []))


def test_findings_newer_than_the_server_are_not_made(scene, watcher):
    names = {name for name, _ in findings(watcher)}
    assert ("transaction_timeout_disabled" in names) == (scene.box.version >= 17)
    assert ("client_connection_check_interval_unset" in names) == (scene.box.version >= 14)


def test_an_override_is_a_finding_of_its_own_subject(scene, watcher):
    scene.role("alice")
    scene.role("group", options="NOLOGIN")
    scene.database("shop")
    scene.alter_system(**{IDLE: "5min"})
    for owner, subject in (
        ("ROLE alice", "role alice"), ("DATABASE shop", "database shop"),
        ("ROLE alice IN DATABASE shop", "role alice in database shop"), ("ROLE ALL", "all roles"),
    ):
        scene.do(f"ALTER {owner} SET {IDLE} = 0", f"ALTER {owner} RESET {IDLE}")
        until_found(watcher, "idle_in_transaction_timeout_disabled", "warning", subject)
        scene.sql(f"ALTER {owner} SET {IDLE} = '500ms'")
        until_found(watcher, "idle_in_transaction_timeout_too_low", "warning", subject)
        until_not_found(watcher, "idle_in_transaction_timeout_disabled", subject)
        scene.sql(f"ALTER {owner} SET {IDLE} = '5min'")
        until_not_found(watcher, "idle_in_transaction_timeout_too_low", subject)
    # No client logs in as it.
    scene.sql(f"ALTER ROLE \"group\" SET {IDLE} = 0")
    assert ("idle_in_transaction_timeout_disabled", "role group") not in findings(watcher)


def test_the_server_s_value_is_no_finding_once_every_role_has_its_own(scene, watcher):
    # The only login roles are the superuser and this one.
    scene.role("alice")
    until_found(watcher, "idle_in_transaction_timeout_disabled", "warning")
    for role in ("alice", "postgres"):
        scene.do(f"ALTER ROLE {role} SET {IDLE} = '5min'", f"ALTER ROLE {role} RESET {IDLE}")
    until_not_found(watcher, "idle_in_transaction_timeout_disabled")


def test_a_rule_that_lets_remote_clients_in_without_encryption_is_a_finding(scene, watcher):
    finding = "plaintext_remote_allowed"
    try:
        scene.box.hba("hostssl all all 10.0.0.0/8 scram-sha-256")
        until_not_found(watcher, finding)
        scene.box.hba("host all all 10.0.0.0/8 scram-sha-256")
        until_found(watcher, finding, "warning")
        scene.box.hba("hostnossl all all all reject", "host all all 10.0.0.0/8 scram-sha-256")
        until_not_found(watcher, finding)
    finally:
        scene.box.hba()


def test_a_role_that_may_not_read_the_rules_gets_no_finding_about_them(scene):
    scene.role("monitor", "pg_monitor")
    exporter = scene.watch("monitor")
    try:
        scene.box.hba("host all all 10.0.0.0/8 scram-sha-256")
        assert not any(name == "plaintext_remote_allowed" for name, _ in findings(exporter))
        scene.do("GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO monitor",
                 "REVOKE EXECUTE ON FUNCTION pg_hba_file_rules() FROM monitor")
        until_found(exporter, "plaintext_remote_allowed", "warning")
    finally:
        scene.box.hba()


def test_without_slots_for_superusers_there_is_a_finding_until_the_restart(spare):
    try:
        for slots, expected in (("0", True), ("2", False)):
            spare.stop()
            spare.start(superuser_reserved_connections=slots)
            with Scene(spare) as scene:
                found = ("reserved_slots_zero", "server") in findings(scene.watch())
                assert found == expected
    finally:
        assert spare.psql("SHOW superuser_reserved_connections") == [("2",)]


def test_a_warning_of_the_server_at_our_login_is_a_finding_and_logged_once(scene, tmp_path):
    if scene.box.version < 19:
        pytest.skip("since PostgreSQL 19")
    scene.role("expiring", "pg_monitor")
    tomorrow = scene.value("SELECT (now() + interval '1 day')::text")
    scene.sql(f"ALTER ROLE expiring PASSWORD 'secret' VALID UNTIL '{tomorrow}'")
    scene.box.hba("host all expiring 127.0.0.1/32 scram-sha-256")
    password = tmp_path / "password"
    password.write_text("secret")
    try:
        exporter = scene.watch("expiring", target={"password_file": str(password)})
        for _ in range(2):
            assert findings(exporter)[("login_warned", "dsn")] == "warning"
        told = [line for line in exporter.log_lines if "the server warned us at the login" in line]
        assert len(told) == 1 and "role password will expire soon: " in told[0]
        eventually(lambda: exporter.metrics() and "will expire in" in exporter.get("/").text, what="its words on the page")
    finally:
        scene.box.hba()
