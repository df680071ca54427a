"""/probe: servers that a request names, with logins that only go where they may."""

import concurrent.futures
import contextlib
import signal
import socket
import struct
import urllib.parse
from pathlib import Path

import pytest

from tests.support import exposition
from tests.support.exporter import Exporter
from tests.support.peers import Peer, message, refusing
from tests.support.pgbox import PgBox
from tests.support.process import eventually

PASSWORD = "correct-horse-battery"


class Asker(Peer):
    """Asks for a password in clear text; keeps what each client has sent."""

    def __init__(self, address="127.0.0.1", port=0):
        self.heard = []
        super().__init__()
        if port:
            self._listener.close()
            self._listener = socket.create_server((address, port))

    def converse(self, connection):
        heard = connection.recv(4096)
        connection.sendall(message(b"R", struct.pack("!i", 3)))
        with contextlib.suppress(OSError):
            heard += connection.recv(4096)
        self.heard.append(heard)
        connection.close()


def probe(exporter, target, module="any", **keywords):
    query = urllib.parse.urlencode({"target": target, "auth_module": module})
    return exporter.get(f"/probe?{query}", **keywords)


def families(answer):
    assert answer.status == 200, answer.text
    return exposition.parse(answer.text)


def modules(**keys):
    return {"auth_modules": {"any": {"allow": ["127.0.0.0/8"], "dsn": "user=x sslmode=disable", **keys}}}


@pytest.fixture(scope="module")
def box(newest):
    """A server where `monitor` needs the password."""
    with PgBox(newest.version).start() as server:
        server.psql(f"CREATE ROLE monitor LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO monitor")
        server.hba("host all monitor 127.0.0.1/32 scram-sha-256")
        yield server


@pytest.fixture
def prober(box, run_exporter, tmp_path):
    """An exporter whose module `any` may log in to the server, and nowhere else."""
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")

    def start(**keys):
        return run_exporter(modules(
            allow=[f"127.0.0.1/32:{box.port}"], password_file=str(path), labels={"cluster": "orders"},
            dsn=f"user=monitor dbname=postgres sslmode=verify-ca sslrootcert={box.ca}", **keys))

    return start


def test_a_server_that_only_the_request_names_has_the_families_of_a_configured_target(
        box, prober, sessions_of_exporters):
    shown = families(probe(prober(), f"127.0.0.1:{box.port}/template1"))
    assert shown.value("probe_success") == 1
    assert 0 < shown.value("probe_duration_seconds") < 10
    assert not shown.samples("probe_failure_info")
    place = {"target": f"127.0.0.1:{box.port}/template1", "cluster": "orders"}
    assert shown.value("pgconn_up", **place) == 1
    [info] = shown.samples("pgconn_target_info")
    assert (info.labels["host"], info.labels["port"], info.labels["database"]) == (
        "127.0.0.1", str(box.port), "template1")
    assert shown.samples("pgconn_connection_slots") and shown.samples("pgconn_setting_seconds")
    eventually(lambda: sessions_of_exporters(box) == 0, what="nothing to remain connected")


def test_collectors_can_be_chosen_as_for_a_configured_target(box, prober):
    exporter = prober(collectors={"transport": False})
    path = f"/probe?auth_module=any&target=127.0.0.1:{box.port}&collect[]="
    shown = families(exporter.get(path + "sessions"))
    assert {sample.labels["collector"] for sample in shown.samples("pgconn_collector_success")} == {"sessions"}
    for unknown in ("transport", "no-such"):
        answer = exporter.get(path + unknown)
        assert answer.status == 400 and f'collector "{unknown}" is not known or switched off' in answer.text


def test_without_auth_modules_there_is_no_probe(box, watch):
    answer = probe(watch(box), "127.0.0.1")
    assert answer.status == 404 and "auth_modules" in answer.text


@pytest.mark.parametrize("query, reason", [
    ("", "auth_module= is missing"),
    ("target=127.0.0.1", "auth_module= is missing"),
    ("target=127.0.0.1&auth_module=other", 'unknown auth_module "other"'),
    ("auth_module=any", "target= is missing; allowed: HOST[:PORT][/DATABASE]"),
    ("auth_module=any&target=/run/postgresql", "is not a server"),
    ("auth_module=any&target=127.0.0.1:0", "is not a server"),
    ("auth_module=any&target=127.0.0.1%20password=x", "is not a server"),
    ("auth_module=any&target=127.0.0.1,127.0.0.2", "is not a server"),
    ("auth_module=any&target=user@127.0.0.1", "is not a server"),
])
def test_a_request_that_makes_no_sense_says_why(run_exporter, query, reason):
    answer = run_exporter(modules()).get(f"/probe?{query}")
    assert answer.status == 400 and reason in answer.text


def test_a_server_that_is_down_or_unknown_is_an_answer(run_exporter, odd_lookup):
    exporter = run_exporter(modules(allow=["127.0.0.1", "*.hang"]), env=odd_lookup)
    with refusing() as port:
        down = families(probe(exporter, f"127.0.0.1:{port}"))
    assert down.value("probe_success") == 0 and down.value("pgconn_up") == 0
    assert down.value("probe_failure_info", phase="tcp", reason="refused", sqlstate="") == 1
    unresolved = families(probe(exporter, "db.hang", headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"}))
    assert unresolved.value("probe_success") == 0 and unresolved.value("pgconn_up") == 0
    assert unresolved.value("probe_failure_info", phase="resolve", reason="timeout") == 1


def test_a_listener_that_the_module_does_not_allow_gets_no_connection(box, prober):
    exporter = prober()
    with Asker() as neighbour, Asker("127.0.0.2", box.port) as namesake:
        for place in (f"127.0.0.1:{neighbour.port}", f"127.0.0.2:{box.port}", f"127.2:{box.port}",
                      f"[::ffff:127.0.0.2]:{box.port}"):
            answer = probe(exporter, place)
            assert answer.status in (400, 403), place
            if answer.status == 403:
                assert f'auth_module "any" does not allow {place}' in answer.text
        assert neighbour.accepted == namesake.accepted == 0
    # The same server, however it is written.
    for place in (f"localhost:{box.port}", f"127.1:{box.port}", f"[::ffff:127.0.0.1]:{box.port}"):
        assert families(probe(exporter, place)).value("probe_success") == 1, place


@pytest.mark.parametrize("name, status", [("db.moves", 200), ("db.strays", 403)])
def test_a_name_that_leads_elsewhere_after_the_check_leads_nowhere(box, run_exporter, odd_lookup, name, status):
    exporter = run_exporter(modules(allow=["127.0.0.1"], dsn="user=postgres sslmode=require"), env=odd_lookup)
    with Asker("127.0.0.2", box.port) as poser:
        answer = probe(exporter, f"{name}:{box.port}")
        assert answer.status == status, answer.text
        if status == 200:
            assert families(answer).value("probe_success") == 1
        assert poser.accepted == 0


def test_no_password_is_sent_but_the_modules_own(run_exporter, tmp_path):
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:*:from-pgpass\n")
    passfile.chmod(0o600)
    borrowed = {"PGPASSWORD": "from-environment", "PGPASSFILE": str(passfile)}
    for environment in (borrowed, {"PGPASSFILE": str(passfile)}):
        with Asker() as peer:
            exporter = run_exporter(modules(), env=environment)
            shown = families(probe(exporter, f"127.0.0.1:{peer.port}"))
            [failure] = shown.samples("probe_failure_info")
            assert failure.labels["reason"] == "password_missing", failure
            eventually(lambda peer=peer: peer.heard)
            assert not any(b"from-" in heard for heard in peer.heard)


def test_a_database_named_like_a_connection_string_is_just_a_name(run_exporter):
    name = "host=127.0.0.2 user=root"
    with Asker() as peer:
        families(probe(run_exporter(modules()), f"127.0.0.1:{peer.port}/{name}"))
        eventually(lambda: peer.heard)
        assert f"database\0{name}\0".encode() in peer.heard[0] and b"user\0x\0" in peer.heard[0]


def test_five_hundred_probes_at_once_are_bounded_and_harm_no_scrape(box, run_exporter, tmp_path, sessions_of_exporters):
    exporter = run_exporter({
        "targets": [{"name": "one", "dsn": box.dsn()}],
        **modules(dsn="user=postgres dbname=postgres sslmode=require", allow=["127.0.0.1"]),
    }, "--web.max-requests=10")
    most = 0
    with concurrent.futures.ThreadPoolExecutor(500) as pool:
        answers = [pool.submit(probe, exporter, f"127.0.0.1:{box.port}", timeout=60) for _ in range(500)]
        while not all(answer.done() for answer in answers):
            assert exporter.metrics().value("pgconn_up", target="one") == 1
            most = max(most, sessions_of_exporters(box))
    statuses = [answer.result().status for answer in answers]
    assert set(statuses) <= {200, 429, 503} and 10 <= statuses.count(200), statuses
    assert 1 <= most <= 11
    eventually(lambda: sessions_of_exporters(box) == 1, what="only the configured target's session to remain")


def test_more_requests_than_max_per_second_are_refused(run_exporter):
    with refusing() as port:
        exporter = run_exporter(modules(max_per_second=2))
        answers = [probe(exporter, f"127.0.0.1:{port}") for _ in range(10)]
    statuses = [answer.status for answer in answers]
    assert statuses[:2] == [200, 200] and 429 in statuses
    refused = answers[statuses.index(429)]
    assert "max_per_second" in refused.text and refused.headers["retry-after"] == "1"


def is_looking_up(exporter):
    return any(path.read_text() == "resolver\n" for path in Path(f"/proc/{exporter.process.pid}/task").glob("*/comm"))


@pytest.mark.parametrize("place", ["silent", "unresolved"])
def test_a_probe_under_way_does_not_hold_up_the_exit(odd_lookup, place):
    with Peer() as peer, Exporter(modules(allow=["127.0.0.1", "*.hang"]), env=odd_lookup) as exporter, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        if place == "silent":
            pool.submit(probe, exporter, f"127.0.0.1:{peer.port}")
            eventually(lambda: peer.accepted)
        else:
            pool.submit(probe, exporter, "db.hang")
            eventually(lambda: is_looking_up(exporter))
        exporter.process.signal(signal.SIGTERM)
        assert exporter.wait(timeout=5) == 0


def test_a_reload_changes_the_modules(run_exporter):
    with refusing() as port:
        exporter = run_exporter(modules())
        assert probe(exporter, f"127.0.0.1:{port}").status == 200
        exporter.write_config({"auth_modules": {"other": {"allow": ["127.0.0.2"]}}})
        exporter.process.signal(signal.SIGHUP)
        exporter.process.wait_log("configuration was read again")
        assert probe(exporter, f"127.0.0.1:{port}").status == 400
        assert probe(exporter, f"127.0.0.1:{port}", "other").status == 403
