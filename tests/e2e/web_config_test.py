"""--web.config.file without TLS: logins, headers, rate limit; and how a bad file is reported."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.exporter import run
from tests.support.process import REPOSITORY, Unavailable, eventually
from tests.support.prometheus import promtool
from tests.support.secured import SecuredExporter, bcrypt, login

PASSWORD = "correct-horse-battery"
RIGHT = login("alice", PASSWORD)
WRONG = login("alice", "wrong-horse-battery")
STRANGER = login("mallory", PASSWORD)
USERS = {"basic_auth_users": {"alice": bcrypt(PASSWORD)}}


@pytest.fixture
def secured():
    """secured(web, *arguments) starts an exporter; at the end each must stop gracefully."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **keywords: stack.enter_context(SecuredExporter(*arguments, **keywords))


def test_every_path_needs_a_login(secured):
    exporter = secured(USERS)
    for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/runbooks/", "/nowhere"):
        refused = exporter.get(path)
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith('Basic realm="pgconn_exporter"')
        assert "pgconn_up" not in refused.text
        assert exporter.get(path, RIGHT).status == (404 if path == "/nowhere" else 200)
    for headers in (WRONG, STRANGER, login("", ""), {"Authorization": "Bearer x"}, {"Authorization": "Basic !"}):
        assert exporter.get("/metrics", headers).status == 401
    assert exporter.get("/", RIGHT, "POST").status == 405
    assert exporter.get("/", method="POST").status == 401
    families = exporter.get("/metrics", RIGHT).text
    assert 'pgconn_exporter_http_requests_total{path="/metrics",code="401"}' in families


@contextlib.contextmanager
def guessing(exporter, count):
    """Guesses passwords all the time; the set given collects the answers."""
    over, statuses = threading.Event(), set()

    def guess(number):
        while not over.is_set():
            statuses.add(exporter.get("/", login(f"user{number}", "guess")).status)

    with concurrent.futures.ThreadPoolExecutor(count) as guessers:
        guesses = [guessers.submit(guess, number) for number in range(count)]
        try:
            eventually(lambda: statuses, what="the first guess")
            yield statuses
        finally:
            over.set()
            for each in guesses:
                each.result()


def test_guessing_passwords_does_not_delay_a_scrape(secured):
    exporter = secured(USERS)
    assert exporter.get("/metrics/exporter", RIGHT).status == 200
    with guessing(exporter, 40) as statuses:
        times, until = [], time.monotonic() + 3
        while time.monotonic() < until:
            begin = time.monotonic()
            assert exporter.get("/metrics/exporter", RIGHT).status == 200
            times.append(time.monotonic() - begin)
        exporter.process.signal(signal.SIGHUP)
        exporter.process.wait_log("configuration was read again")
        begin = time.monotonic()
        assert exporter.get("/metrics/exporter", RIGHT).status == 200
        times.append(time.monotonic() - begin)
    assert max(times) < 1, "a login that is known waits for no other"
    # 401 after the hashing, 503 for those that did not come to it.
    assert statuses <= {401, 503} and 401 in statuses


def test_the_first_login_gets_its_turn_among_guesses(secured):
    exporter = secured({"basic_auth_users": {"alice": bcrypt(PASSWORD, cost=8)}})
    with guessing(exporter, 16):
        assert exporter.get("/metrics/exporter", RIGHT).status == 200


def test_an_unknown_user_takes_as_long_as_a_known_one(secured):
    exporter = secured(USERS)

    def shortest(headers):
        times = []
        for _ in range(5):
            begin = time.monotonic()
            assert exporter.get("/", headers).status == 401
            times.append(time.monotonic() - begin)
        return min(times)

    known, unknown = shortest(WRONG), shortest(STRANGER)
    assert 0.5 < unknown / known < 2


def test_headers_are_on_every_answer(secured):
    exporter = secured({**USERS, "http_server_config": {"http2": True, "headers": {
        "X-Frame-Options": "deny", "X-Content-Type-Options": "nosniff", "X-XSS-Protection": "0",
        "Strict-Transport-Security": "max-age=1", "Content-Security-Policy": "default-src 'none'",
    }}})
    for path, headers in (("/metrics", RIGHT), ("/", None), ("/nowhere", RIGHT)):
        answer = exporter.get(path, headers)
        assert answer.headers["x-frame-options"] == "deny"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["strict-transport-security"] == "max-age=1"
        assert answer.headers["content-security-policy"] == "default-src 'none'"


def test_the_rate_limit_is_for_all_requests_together(secured):
    exporter = secured({"rate_limit": {"interval": "1h", "burst": 3}})
    statuses = [exporter.get(path).status for path in ("/", "/-/healthy", "/nowhere", "/", "/metrics")]
    assert statuses == [200, 200, 404, 429, 429]


def test_users_are_read_again_at_sighup_and_a_bad_file_changes_nothing(secured):
    exporter = secured(USERS)
    new = login("alice", "new-horse-battery")
    assert exporter.get("/", RIGHT).status == 200
    exporter.write_web({"basic_auth_users": {"alice": bcrypt("new-horse-battery")}})
    exporter.process.signal(signal.SIGHUP)
    eventually(lambda: exporter.get("/", new).status == 200)
    assert exporter.get("/", RIGHT).status == 401

    for bad in ({"basic_auth_users": {"alice": "new-horse-battery"}}, {"tls_server_config": {"cert_file": "x"}}):
        exporter.write_web(bad)
        exporter.process.signal(signal.SIGHUP)
        gauge = "pgconn_exporter_config_last_reload_successful 0"
        eventually(lambda: gauge in exporter.get("/metrics/exporter", new).text)
        assert exporter.get("/").status == 401
        exporter.write_web({"basic_auth_users": {"alice": bcrypt("new-horse-battery")}})
        exporter.process.signal(signal.SIGHUP)
        eventually(lambda: gauge not in exporter.get("/metrics/exporter", new).text)


def test_a_changed_file_takes_effect_with_the_next_request(secured):
    exporter = secured(USERS)
    assert exporter.get("/", RIGHT).status == 200
    # At once, and every time: neither the clock's resolution nor a cached login hides a change.
    for number in range(6):
        password = f"new-horse-{number}"
        exporter.write_web({"basic_auth_users": {"alice": bcrypt(password, cost=4)},
                            "http_server_config": {"headers": {"X-XSS-Protection": str(number)}}})
        assert exporter.get("/", RIGHT).status == 401
        answer = exporter.get("/", login("alice", password))
        assert answer.status == 200 and answer.headers["x-xss-protection"] == str(number)
        assert exporter.get("/", login("alice", f"new-horse-{number - 1}")).status == 401
    exporter.process.wait_log("the changed web configuration is in force")


def test_a_volume_whose_symbolic_link_is_swapped_is_a_change(secured, tmp_path):
    exporter = secured(USERS)
    for name, password in (("first", PASSWORD), ("second", "another-horse")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "web.yml").write_text(json.dumps({"basic_auth_users": {"alice": bcrypt(password)}}))
    (tmp_path / "..data").symlink_to("first")
    exporter.web_path.unlink()
    exporter.web_path.symlink_to(tmp_path / "..data" / "web.yml")
    assert exporter.get("/", RIGHT).status == 200
    (tmp_path / "..new").symlink_to("second")
    os.replace(tmp_path / "..new", tmp_path / "..data")
    assert exporter.get("/", RIGHT).status == 401
    assert exporter.get("/", login("alice", "another-horse")).status == 200


@pytest.mark.parametrize("bad, told", [
    ("basic_auth_users: {alice: ", "a `{` is not closed"),
    ({"basic_auth_users": {"alice": PASSWORD}}, "is not a bcrypt hash"),
    ("", "logins would no longer be required; if that is intended, send SIGHUP"),
    ({"basic_auth_users": {}}, "logins would no longer be required; if that is intended, send SIGHUP"),
    (None, "No such file"),
], ids=["cut off", "password", "empty", "no user", "gone"])
def test_a_file_that_breaks_while_running_opens_nothing_and_is_reported_once(secured, bad, told):
    exporter = secured(USERS)
    if bad is None:
        exporter.web_path.unlink()
    else:
        exporter.write_web(bad)
    for _ in range(20):
        assert exporter.get("/").status == 401
        assert exporter.get("/", RIGHT).status == 200
    exporter.process.wait_log("the changed web configuration cannot be used")
    lines = [line for line in exporter.log_lines if "the changed web configuration cannot be used" in line]
    assert len(lines) == 1 and told in lines[0] and PASSWORD not in lines[0]
    exporter.write_web({"basic_auth_users": {"alice": bcrypt("new-horse-battery")}})
    assert exporter.get("/", login("alice", "new-horse-battery")).status == 200
    assert exporter.get("/", RIGHT).status == 401


def test_an_empty_file_opens_the_pages_at_sighup_and_says_so(secured):
    exporter = secured(USERS)
    exporter.write_web("")
    assert exporter.get("/").status == 401
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("configuration was read again")
    assert exporter.get("/").status == 200
    exporter.process.wait_log("the file is empty: it protects nothing")


def test_a_rate_limit_without_a_burst_lets_nobody_in_as_for_other_exporters(secured):
    exporter = secured({"rate_limit": {"interval": "1m30s", "burst": 0}})
    assert exporter.get("/metrics").status == 429
    exporter.process.wait_log("every request is answered with 429")
    assert secured({"rate_limit": {"interval": 0, "burst": 0}}).get("/").status == 200


def test_tls_is_turned_on_only_by_a_restart(secured, tmp_path):
    exporter = secured({"rate_limit": {"interval": 0, "burst": 1}})
    made = Authority(tmp_path / "ca", "authority").issue()
    exporter.write_web({"tls_server_config": {"cert_file": str(made.path), "key_file": str(made.key)}})
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("tls_server_config was added: turning TLS on or off needs a restart")
    assert exporter.get("/-/healthy").status == 200


@pytest.mark.parametrize("web, wrong", [
    ("basic_auth_users: {alice: hunter2}", "web.yml:1: basic_auth_users.alice: is not a bcrypt hash"),
    ("tls_server_config: {cert_file: none.crt, key_file: none.key}", "none.crt: cannot be read: No such file"),
    ("tls_server_config: {cert_file: web.yml, key_file: web.yml}", "web.yml: contains no usable certificate in PEM"),
    ("tls_server_config: {cert_file: leaf.crt, key_file: ca.crt}", "ca.crt: contains no private key"),
    ("tls_server_config: {cert_file: leaf.crt, key_file: other.key}", "other.key: contains no private key that matches"),
    ("tls_server_config: {cert_file: leaf.crt, key_file: locked.key}", "locked.key: contains no private key that matches"),
    ("tls_server_config: {cert_file: leaf.crt, key_file: leaf.key, client_ca_file: leaf.key,"
     " client_auth_type: RequireAndVerifyClientCert}", "leaf.key: contains no usable certificate in PEM"),
], ids=["password", "no file", "no PEM", "no key", "another's key", "locked key", "no authority"])
def test_a_file_that_cannot_be_used_is_reported_at_startup_and_by_check_config(web, wrong, tmp_path):
    authority = Authority(tmp_path / "ca", "authority")
    leaf, other = authority.issue(), authority.issue()
    for path, name in ((leaf.path, "leaf.crt"), (leaf.key, "leaf.key"), (other.key, "other.key"),
                       (authority.path, "ca.crt")):
        shutil.copy(path, tmp_path / name)
    subprocess.run(["openssl", "ec", "-in", leaf.key, "-aes256", "-passout", "pass:hunter2",
                    "-out", tmp_path / "locked.key"], check=True, capture_output=True)
    path = tmp_path / "web.yml"
    path.write_text(web + "\n")
    for command in (["check-config", f"--web.config.file={path}"],
                    [f"--web.config.file={path}", "--web.listen-address=127.0.0.1:0"]):
        status, output = run(*command)
        assert status == 1, output
        assert wrong in output and "hunter2" not in output and "PRIVATE" not in output


def test_the_example_is_valid_for_us_and_for_promtool(tmp_path):
    authority = Authority(tmp_path / "ca", "authority")
    made = authority.issue()
    for source, name in ((Path(REPOSITORY, "config/examples/web.yml"), "web.yml"), (made.path, "server.crt"),
                         (made.key, "server.key"), (authority.path, "client-ca.crt")):
        shutil.copy(source, tmp_path / name)
    path = tmp_path / "web.yml"
    assert run("check-config", f"--web.config.file={path}") == (0, f"{path}: valid")
    try:
        status, output = promtool("check", "web-config", str(path), suite="sid")
    except Unavailable as reason:
        pytest.skip(f"promtool cannot be had: {reason}")
    assert status == 0, output


def test_no_secret_of_the_web_configuration_is_shown(secured):
    exporter = secured(USERS, "--log.level=debug")
    for headers in (RIGHT, WRONG, STRANGER):
        exporter.get("/metrics", headers)
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("configuration was read again")
    exporter.write_web({"basic_auth_users": {"alice": PASSWORD}})
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("was not accepted")
    assert exporter.get("/", RIGHT).status == 200
    exporter.process.wait_log("cannot be used")
    pages = "".join(exporter.get(path, RIGHT).text for path in ("/", "/metrics", "/nowhere"))
    shown = "\n".join([*exporter.log_lines, pages])
    for secret in (PASSWORD, "wrong-horse", USERS["basic_auth_users"]["alice"], RIGHT["Authorization"][6:]):
        assert secret not in shown
