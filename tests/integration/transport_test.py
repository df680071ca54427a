"""How client sessions are encrypted."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.scenes import Scene, by, errors
from tests.support.process import REPOSITORY

# Without it OpenSSL 3 speaks nothing older than TLS 1.2.
OLD_OPENSSL = """
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = default
[default]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL=0
"""
# A client, until its input ends.
HOLD = """
import psycopg2, sys
connection = psycopg2.connect(sys.argv[1])
print(connection.info.ssl_attribute("protocol"), flush=True)
sys.stdin.read()
"""


def transports(families):
    samples = families.samples("pgconn_transport_sessions")
    return by(("transport", "origin"), [sample for sample in samples if sample.value])


def test_tls_plain_and_unix_sessions_are_counted_apart(scene):
    for _ in range(2):
        scene.session(**scene.transport("plain"))
    for _ in range(3):
        scene.session(**scene.transport("unix"))
    scene.session()
    families = scene.watch().metrics("collect[]=transport")
    assert transports(families) == {
        ("plain", "local"): 2, ("unix", "local"): 3, ("tls", "local"): 2,  # the admin's is one
    }
    # All others are reported as zero, so that an alert has something to compare with.
    assert len(families.samples("pgconn_transport_sessions")) == 7
    # A plain session on loopback crosses no network.
    assert families.samples("pgconn_plaintext_remote_sessions") == []
    assert families.value("pgconn_tls_client_certificate_sessions") == 0


def test_tls_sessions_are_told_by_version_and_cipher(scene):
    old = [scene.session(ssl_max_protocol_version="TLSv1.2") for _ in range(2)]
    new = scene.session(ssl_min_protocol_version="TLSv1.3")
    families = scene.watch().metrics("collect[]=transport")

    def negotiated(session):
        return session.info.ssl_attribute("protocol"), session.info.ssl_attribute("cipher")

    assert negotiated(old[0])[0] == "TLSv1.2" and negotiated(new)[0] == "TLSv1.3"
    told = by(("version", "cipher"), families.samples("pgconn_tls_sessions"))
    assert told == {negotiated(old[0]): 2, negotiated(new): 2}  # the admin's is one


@contextlib.contextmanager
def old_client(box, version, directory):
    """A session over that version of TLS, of a process of its own: OpenSSL reads its settings but once."""
    settings = directory / "openssl.cnf"
    settings.write_text(OLD_OPENSSL)
    dsn = box.dsn(ssl_min_protocol_version=version, ssl_max_protocol_version=version)
    with subprocess.Popen([sys.executable, "-c", HOLD, dsn], env={**os.environ, "OPENSSL_CONF": str(settings)},
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout.readline().strip() == version
        yield


def test_sessions_over_old_versions_of_tls_are_reported_as_the_alert_expects_them(new_box, tmp_path):
    box = new_box(ssl_min_protocol_version="TLSv1", ssl_ciphers="DEFAULT:@SECLEVEL=0")
    with Scene(box) as scene, old_client(box, "TLSv1", tmp_path), old_client(box, "TLSv1.1", tmp_path):
        scene.session(ssl_max_protocol_version="TLSv1.2")
        told = by("version", scene.watch().metrics("collect[]=transport").samples("pgconn_tls_sessions"))
    assert told == {"TLSv1": 1, "TLSv1.1": 1, "TLSv1.2": 1, "TLSv1.3": 1}  # the admin's is one
    looked_for = re.search(r'pgconn_tls_sessions\{version=~"(.+?)"', Path(REPOSITORY, "alerts/tls.rules.yml").read_text())
    old = looked_for[1].replace("\\\\", "\\")
    assert {version for version in told if re.fullmatch(old, version)} == {"TLSv1", "TLSv1.1"}


def test_sessions_with_a_client_certificate_are_counted(scene):
    tls = scene.box.directory / "tls"
    for _ in range(2):
        scene.session(sslcert=tls / "client.crt", sslkey=tls / "client.key")
    scene.session()
    families = scene.watch().metrics("collect[]=transport")
    assert families.value("pgconn_tls_client_certificate_sessions") == 2
    assert transports(families) == {("tls", "local"): 4}


def test_the_exporter_itself_logs_in_with_a_client_certificate_where_the_server_wants_one(scene):
    scene.role("exporter", "pg_monitor")  # the certificate's common name
    tls = scene.box.directory / "tls"
    scene.box.hba("hostssl all exporter 127.0.0.1/32 cert", "host all exporter 127.0.0.1/32 reject")
    try:
        refused = scene.watch("exporter").metrics()
        assert refused.value("pgconn_up") == 0
        assert errors(refused) == {("authentication", "28000"): 1}
        certificate = {"sslcert": tls / "client.crt", "sslkey": tls / "client.key"}
        families = scene.watch(dsn=scene.box.dsn("exporter", **certificate)).metrics()
        assert families.value("pgconn_up") == 1
    finally:
        scene.box.hba()


@pytest.mark.parametrize("through", ["tls", "plain", "unix"])
def test_the_exporter_reaches_the_server_over_every_transport(scene, through):
    families = scene.watch(dsn=scene.box.dsn(**scene.transport(through))).metrics()
    assert families.value("pgconn_up") == 1
    # Its own session is not among those it counts.
    assert transports(families) == {("tls", "local"): 1}
