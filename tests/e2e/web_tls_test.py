"""--web.config.file with TLS: handshakes, client certificates, new certificates, and clients that misbehave."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import socket
import ssl
import time
from pathlib import Path

import pytest

from tests.support.certificates import Authority, self_signed
from tests.support.peers import Peer
from tests.support.process import Unavailable, eventually
from tests.support.prometheus import Prometheus
from tests.support.secured import SecuredExporter, bcrypt, client_context, login

PASSWORD = "correct-horse-battery"
RIGHT = login("alice", PASSWORD)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "ca", "authority")


@pytest.fixture(scope="module")
def leaf(authority):
    return authority.issue("exporter")


@pytest.fixture
def tls(authority, leaf):
    """tls(**keys of tls_server_config) starts an exporter; at the end each must stop gracefully."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, more=None, config=None, **keys):
            files = {"cert_file": str(leaf.path), "key_file": str(leaf.key)}
            web = {"tls_server_config": {**files, **keys}, **(more or {})}
            return stack.enter_context(
                SecuredExporter(web, *arguments, context=client_context(authority), config=config))

        yield start


def listening(process):
    """(address, port) of each socket the process listens on."""
    inodes = set()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(link))
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            address, port = fields[1].split(":")
            found.append((socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)))
    return found


def inner_port(exporter):
    return next(port for _, port in listening(exporter.process) if port != exporter.port)


def answer_of(client):
    data = b""
    with contextlib.suppress(OSError):
        while piece := client.recv(65536):
            data += piece
    return data


def test_a_client_that_verifies_the_certificate_scrapes(tls):
    exporter = tls()
    answer = exporter.get("/metrics")
    assert answer.status == 200 and "pgconn_up" in answer.text
    assert exporter.get("/metrics", method="HEAD").body == b""
    assert exporter.get("/nowhere").status == 404


def test_a_client_of_another_authority_refuses_and_the_log_reports_it(tls, tmp_path):
    exporter = tls()
    with pytest.raises(ssl.SSLCertVerificationError):
        exporter.get("/metrics", context=client_context(Authority(tmp_path / "other", "other")))
    exporter.process.wait_log("a TLS handshake failed")
    assert exporter.get("/-/healthy").status == 200


def test_old_versions_of_tls_are_refused(tls, authority):
    exporter = tls(min_version="TLS13")
    old = client_context(authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exporter.get("/", context=old)
    assert exporter.get("/").status == 200


def test_chosen_suites_and_curves_are_used(tls, authority):
    exporter = tls(cipher_suites=["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"], curve_preferences=["CurveP384"],
                   max_version="TLS12")
    with socket.create_connection(("localhost", exporter.port), 10) as plain, \
            client_context(authority).wrap_socket(plain, server_hostname="localhost") as client:
        assert client.version() == "TLSv1.2"
        assert client.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"


def test_plain_http_is_told_to_use_https_and_closed(tls):
    exporter = tls()
    with socket.create_connection(("127.0.0.1", exporter.port), 10) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = answer_of(client)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"https://" in answer and b"pgconn_up" not in answer


@pytest.mark.parametrize("noise", [b"\0" * 600, b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-x\r\n", b""],
                         ids=["zeros", "half a hello", "another protocol", "nothing"])
def test_noise_and_an_early_end_do_no_harm(tls, noise):
    exporter = tls()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", exporter.port), 10) as client:
            client.sendall(noise)
    assert exporter.get("/-/healthy").status == 200


def test_a_client_certificate_must_be_of_the_authority(tls, authority, tmp_path):
    exporter = tls(client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(authority.path))
    stranger = self_signed(tmp_path / "stranger.crt", "stranger")
    expired = authority.issue("expired", begins=-7200, ends=-3600)
    assert exporter.get("/", context=client_context(authority, authority.issue("client"))).status == 200
    for refused in (None, stranger, expired):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            exporter.get("/", context=client_context(authority, refused))


def test_an_intermediate_authority_may_be_trusted_alone(tls, authority, tmp_path):
    intermediate = Authority(tmp_path / "intermediate", "intermediate", issuer=authority)
    exporter = tls(client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(intermediate.path))
    assert exporter.get("/", context=client_context(authority, intermediate.issue("client"))).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exporter.get("/", context=client_context(authority, authority.issue("client")))


def test_a_client_certificate_may_be_asked_for_by_name(tls, authority):
    exporter = tls(client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(authority.path),
                   client_allowed_sans=["scraper.internal", "10.1.2.3", "https://scraper/", "2001:db8::1"])
    for sans in ("DNS:scraper.internal", "DNS:x,IP:10.1.2.3", "URI:https://scraper/", "IP:2001:db8::1"):
        allowed = authority.issue("client", sans=sans)
        assert exporter.get("/", context=client_context(authority, allowed)).status == 200
    for sans in ("DNS:other.internal", "DNS:Scraper.internal.evil", "IP:10.1.2.4"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            exporter.get("/", context=client_context(authority, authority.issue("scraper.internal", sans=sans)))


def test_a_client_certificate_that_may_be_missing_is_verified_if_there_is_one(tls, authority, tmp_path):
    exporter = tls(client_auth_type="VerifyClientCertIfGiven", client_ca_file=str(authority.path))
    assert exporter.get("/").status == 200
    assert exporter.get("/", context=client_context(authority, authority.issue("client"))).status == 200
    stranger = self_signed(tmp_path / "stranger.crt", "stranger")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        # A client shows none of another authority unless it is not told which are wanted.
        exporter.get("/", context=client_context(authority, stranger))


def test_any_client_certificate_will_do_if_that_is_asked_for(tls, authority, tmp_path):
    stranger = client_context(authority, self_signed(tmp_path / "stranger.crt", "stranger"))
    exporter = tls(client_auth_type="RequireClientCert")  # RequireAnyClientCert's older name
    assert exporter.get("/", context=stranger).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exporter.get("/")
    lenient = tls(client_auth_type="RequestClientCert")
    assert lenient.get("/", context=stranger).status == 200
    assert lenient.get("/").status == 200


def test_a_replaced_certificate_is_shown_from_the_next_handshake_on(tls, authority, tmp_path):
    first, second = authority.issue("first"), authority.issue("second")

    def install(path, name):
        shutil.copy(path, tmp_path / (name + ".new"))
        os.replace(tmp_path / (name + ".new"), tmp_path / name)

    def shown():
        with socket.create_connection(("localhost", exporter.port), 10) as plain, \
                exporter.context.wrap_socket(plain, server_hostname="localhost") as client:
            return dict(pair for part in client.getpeercert()["subject"] for pair in part)["commonName"]

    install(first.path, "a.crt")
    install(first.key, "a.key")
    exporter = tls(cert_file=str(tmp_path / "a.crt"), key_file=str(tmp_path / "a.key"))
    assert shown() == "first"
    install(second.path, "a.crt")
    assert shown() == "first", "a certificate without its key is no use yet"
    assert shown() == "first"
    install(second.key, "a.key")
    assert shown() == "second"
    (tmp_path / "a.key").unlink()
    assert shown() == "second", "what is in force stays so"
    assert sum("cannot be used: the old ones stay in force" in line for line in exporter.log_lines) == 2


def test_tls_settings_are_read_again_at_sighup(tls, authority, leaf):
    exporter = tls()
    assert exporter.get("/").status == 200
    files = {"cert_file": str(leaf.path), "key_file": str(leaf.key)}
    exporter.write_web({"tls_server_config": {
        **files, "client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": str(authority.path)}})
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("configuration was read again")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exporter.get("/")
    assert exporter.get("/", context=client_context(authority, authority.issue("client"))).status == 200
    exporter.write_web({"rate_limit": {"interval": 0, "burst": 1}})
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("tls_server_config was removed: turning TLS on or off needs a restart")


def test_changed_tls_settings_take_effect_with_the_next_handshake(tls, authority, leaf):
    exporter = tls()
    assert exporter.get("/").status == 200
    files = {"cert_file": str(leaf.path), "key_file": str(leaf.key)}
    strict = {**files, "client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": str(authority.path)}
    exporter.write_web({"tls_server_config": strict})
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exporter.get("/")
    known = client_context(authority, authority.issue("client"))
    assert exporter.get("/", context=known).status == 200
    for weaker in ({"tls_server_config": files}, "", "{", {"tls_server_config": {**strict, "key_file": "none"}}):
        exporter.write_web(weaker)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            exporter.get("/")
        assert exporter.get("/", context=known).status == 200
    exporter.write_web({"tls_server_config": files})
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("configuration was read again")
    assert exporter.get("/").status == 200


def test_certificate_key_and_authority_may_be_in_the_file_itself(tls, authority, leaf):
    texts = {"cert": leaf.path.read_text(), "key": leaf.key.read_text(), "client_ca": authority.path.read_text()}
    exporter = tls(cert_file="", key_file="", client_auth_type="RequireAndVerifyClientCert", **texts)
    assert exporter.get("/", context=client_context(authority, authority.issue("client"))).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        exporter.get("/")
    assert not [line for line in exporter.log_lines if "PRIVATE" in line or "may protect less" in line]
    exporter.write_web({"tls_server_config": {"cert": texts["cert"], "key": texts["cert"]}})
    exporter.process.signal(signal.SIGHUP)
    exporter.process.wait_log("tls_server_config.key: contains no private key that matches")
    mixed = tls(cert_file="", cert=texts["cert"])
    assert mixed.get("/").status == 200


def test_without_an_authority_the_systems_roots_verify(tls, authority, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    known = client_context(authority, authority.issue("client"))
    stranger = client_context(authority, self_signed(tmp_path / "stranger.crt", "stranger"))
    exporter = tls(client_auth_type="RequireAndVerifyClientCert")
    assert exporter.get("/", context=known).status == 200
    for refused in (None, stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            exporter.get("/", context=refused)
    exporter.process.wait_log("every authority that this system trusts vouches for clients")
    lenient = tls(client_auth_type="VerifyClientCertIfGiven")
    assert lenient.get("/").status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        lenient.get("/", context=stranger)


def test_allowed_names_are_looked_for_in_unverified_certificates_too(tls, authority, tmp_path):
    exporter = tls(client_auth_type="RequestClientCert", client_allowed_sans=["scraper.internal"])
    allowed = authority.issue("a", sans="DNS:scraper.internal")
    assert exporter.get("/", context=client_context(authority, allowed)).status == 200
    for refused in (None, client_context(authority, authority.issue("b", sans="DNS:other.internal"))):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            exporter.get("/", context=refused)


def test_nobody_gets_past_tls(tls):
    with Peer() as silent:
        check_that_nobody_gets_past(
            tls(config={"targets": [{"name": "silent", "dsn": f"host=127.0.0.1 port={silent.port} user=x"}]}))


def check_that_nobody_gets_past(exporter):
    sockets = listening(exporter.process)
    assert len(sockets) == 2
    assert all(address == "127.0.0.1" for address, _ in sockets)
    inner = inner_port(exporter)
    for request in (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"rubbish\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", inner), 10) as client:
            client.sendall(request)
            answer = answer_of(client)
        assert answer.startswith(b"HTTP/1.1 403 ") and b"pgconn_up" not in answer

    # Not even with the port of one of the listener's own connections, on another address of this machine.
    with socket.create_connection(("localhost", exporter.port), 10) as plain, \
            exporter.context.wrap_socket(plain, server_hostname="localhost") as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")  # its answer takes a while
        own = eventually(lambda: connected_to(inner))
        with socket.socket() as impostor:
            impostor.settimeout(10)
            impostor.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            impostor.bind(("127.0.0.2", own))
            impostor.connect(("127.0.0.1", inner))
            impostor.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_of(impostor).startswith(b"HTTP/1.1 403 ")
        assert answer_of(client).startswith(b"HTTP/1.1 200 ")


def connected_to(port):
    """The local port of a connection from 127.0.0.1 to that port, or None."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2] == f"0100007F:{port:04X}" and fields[1].startswith("0100007F:") and fields[3] == "01":
            return int(fields[1].split(":")[1], 16)
    return None


def test_silent_clients_delay_nobody_and_are_sent_away(tls, authority):
    exporter = tls()
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", exporter.port), 10))
                  for _ in range(400)]
        shaken = []
        for _ in range(60):  # more than the HTTP server has workers
            plain = stack.enter_context(socket.create_connection(("localhost", exporter.port), 10))
            shaken.append(stack.enter_context(exporter.context.wrap_socket(plain, server_hostname="localhost")))
        begin = time.monotonic()
        assert exporter.get("/metrics/exporter").status == 200
        assert time.monotonic() - begin < 2
        for client in (silent[-1], shaken[0], shaken[-1]):
            client.settimeout(8)
            assert answer_of(client) == b""
        assert time.monotonic() - begin < 7.5
    assert exporter.get("/-/healthy").status == 200


def test_a_client_that_does_not_read_is_not_read_for_and_ends(tls):
    exporter = tls()
    with socket.create_connection(("localhost", exporter.port), 10) as plain, \
            exporter.context.wrap_socket(plain, server_hostname="localhost") as client:
        client.sendall(b"POST /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
        client.settimeout(10)
        with pytest.raises(OSError):
            for _ in range(100_000):
                client.sendall(b"x" * 10_000)
    assert exporter.get("/-/healthy").status == 200


def test_sigterm_ends_it_in_time_whatever_clients_do(tls):
    exporter = tls()
    with contextlib.ExitStack() as stack:
        for number in range(30):
            plain = stack.enter_context(socket.create_connection(("localhost", exporter.port), 10))
            if number % 3 == 0:
                continue
            client = stack.enter_context(exporter.context.wrap_socket(plain, server_hostname="localhost"))
            if number % 3 == 1:
                client.sendall(b"GET /metrics HTTP/1.1\r\n")
        begin = time.monotonic()
        exporter.process.signal(signal.SIGTERM)
        assert exporter.wait(timeout=10) == 0
        assert time.monotonic() - begin < 6


def test_sigterm_lets_a_scrape_under_way_arrive(tls):
    with Peer() as silent:
        exporter = tls(config={"targets": [{"name": "silent", "dsn": f"host=127.0.0.1 port={silent.port} user=x"}]})
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            scrape = pool.submit(exporter.get, "/metrics")
            eventually(lambda: silent.accepted, what="the scrape under way")
            exporter.process.signal(signal.SIGTERM)
            assert exporter.wait(timeout=6) == 0
            answer = scrape.result()
    assert answer.status == 200 and "pgconn_exporter_targets" in answer.text


def test_prometheus_scrapes_through_tls_and_a_login(tls, authority):
    certificate = authority.issue("prometheus", sans="DNS:prometheus.internal")
    exporter = tls(client_auth_type="RequireAndVerifyClientCert", client_ca_file=str(authority.path),
                   client_allowed_sans=["prometheus.internal"],
                   more={"basic_auth_users": {"alice": bcrypt(PASSWORD)}})
    scrape = {"scheme": "https", "basic_auth": {"username": "alice", "password": PASSWORD}, "tls_config": {
        "ca_file": str(authority.path), "cert_file": str(certificate.path), "key_file": str(certificate.key)}}
    try:
        with Prometheus({"pgconn": exporter.port}, scrape=scrape) as server:
            eventually(lambda: server.value('up{job="pgconn"}') == 1, 60, "a scrape")
            assert server.value("scrape_samples_scraped") > 10
    except Unavailable as reason:
        pytest.skip(f"Prometheus cannot be had: {reason}")
