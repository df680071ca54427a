"""The connect probe reports why a login fails: where it got stuck, the reason, the SQLSTATE."""

import contextlib
import os
import signal

import psycopg2
import pytest

from tests.faults.held import FAST, failures, postmaster, until_down
from tests.support import peers
from tests.support.pgbox import PgBox
from tests.support.process import eventually


@contextlib.contextmanager
def hba(scene, line):
    """A role `monitor`, and a line for it in front of all others of pg_hba.conf."""
    scene.role("monitor", options="LOGIN PASSWORD 'right'")
    scene.box.hba(line)
    try:
        yield
    finally:
        scene.box.hba()


def with_a_password(scene, role):
    passfile = scene.box.directory / "passfile"
    passfile.touch(0o600)
    passfile.write_text("*:*:*:*:wrong\n")
    return scene.box.dsn(role, passfile=passfile)


@contextlib.contextmanager
def bad_password(scene):
    with hba(scene, "host all monitor 127.0.0.1/32 scram-sha-256"):
        yield with_a_password(scene, "monitor")


@contextlib.contextmanager
def no_password(scene):
    with hba(scene, "host all monitor 127.0.0.1/32 scram-sha-256"):
        yield scene.box.dsn("monitor")


@contextlib.contextmanager
def rejected(scene):
    with hba(scene, "host all monitor 127.0.0.1/32 reject"):
        yield scene.box.dsn("monitor")


@contextlib.contextmanager
def no_entry(scene):
    scene.role("monitor")
    # Any other role that comes by TCP finds no entry.
    scene.box.hba_alone("local all all trust", "host all postgres 127.0.0.1/32 trust")
    try:
        yield scene.box.dsn("monitor")
    finally:
        scene.box.hba()


@contextlib.contextmanager
def no_such_role(scene):
    # A client that must prove its identity does not learn which roles exist.
    with hba(scene, "host all nobody 127.0.0.1/32 scram-sha-256"):
        yield with_a_password(scene, "nobody")


@contextlib.contextmanager
def no_such_role_where_all_are_trusted(scene):
    yield scene.box.dsn("nobody")


@contextlib.contextmanager
def role_without_login(scene):
    yield scene.box.dsn(scene.role("monitor", options="NOLOGIN"))


@contextlib.contextmanager
def role_limit(scene):
    yield scene.box.dsn(scene.role("monitor", options="LOGIN CONNECTION LIMIT 0"))


@contextlib.contextmanager
def database_limit(scene):
    role = scene.role("monitor")
    yield scene.box.dsn(role, dbname=scene.database("full", "CONNECTION LIMIT 0"))


@contextlib.contextmanager
def all_slots_taken(scene):
    scene.role("monitor")
    with pytest.raises(psycopg2.OperationalError, match="remaining connection slots are reserved"):
        while True:
            scene.session("monitor")
    yield scene.box.dsn("monitor")


@contextlib.contextmanager
def no_slot_even_for_superusers(scene):
    with pytest.raises(psycopg2.OperationalError, match="too many clients already"):
        while True:
            scene.session()
    yield scene.box.dsn()


@contextlib.contextmanager
def no_such_database(scene):
    yield scene.box.dsn(dbname="missing")


@contextlib.contextmanager
def closed_database(scene):
    yield scene.box.dsn(dbname=scene.database("closed", "ALLOW_CONNECTIONS false"))


@contextlib.contextmanager
def database_of_others(scene):
    role = scene.role("monitor")
    name = scene.database("private")
    scene.sql(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    yield scene.box.dsn(role, dbname=name)


@contextlib.contextmanager
def tls_off(scene):
    scene.alter_system(ssl="off")
    yield scene.box.dsn()


@contextlib.contextmanager
def unknown_authority(scene):
    # Of the same name as the server's, with another key.
    with PgBox(scene.box.version) as other:
        other.start()
        yield scene.box.dsn(sslrootcert=other.ca)


def with_certificate(scene, name):
    """Gives the server one of its other certificates; how to reach it then."""
    tls = scene.box.directory / "tls"
    scene.alter_system(ssl_cert_file=tls / f"{name}.crt", ssl_key_file=tls / f"{name}.key")
    return scene.box.dsn()


@contextlib.contextmanager
def expired_certificate(scene):
    yield with_certificate(scene, "expired")


@contextlib.contextmanager
def certificate_of_another_host(scene):
    yield with_certificate(scene, "wronghost")


@contextlib.contextmanager
def older_tls(scene):
    scene.alter_system(ssl_max_protocol_version="TLSv1.2")
    yield scene.box.dsn(ssl_min_protocol_version="TLSv1.3")


@contextlib.contextmanager
def unknown_name(scene):
    yield scene.box.dsn(host="-.-")  # no name: no name server is asked for it


@contextlib.contextmanager
def nobody_listens(scene):
    with peers.refusing() as port:
        yield scene.box.dsn(port=port)


@contextlib.contextmanager
def black_hole(scene):
    with peers.black_hole() as port:
        yield scene.box.dsn(port=port)


@contextlib.contextmanager
def closes_at_once(scene):
    with peers.Rude() as peer:
        yield scene.box.dsn(port=peer.port)


@contextlib.contextmanager
def frozen_without_tls(scene):
    pid = postmaster(scene.box)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield scene.box.dsn(sslmode="disable", sslrootcert=None)
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def smart_shutdown(scene):
    """A server that waits for its last session to leave."""
    os.kill(postmaster(scene.box), signal.SIGTERM)
    try:
        yield scene.box.dsn()
    finally:
        scene.admin.close()
        until_down(scene.box)
        scene.box.start()
        scene.connect_admin()


@contextlib.contextmanager
def standby_without_readers(scene):
    """A server that is in recovery for good."""
    with PgBox(scene.box.version) as standby:
        standby.start_standby_of(scene.box, hot_standby="off")
        yield standby.dsn()


@pytest.mark.parametrize("arrange, phase, reason, sqlstate", [
    (bad_password, "startup", "authentication", "28P01"),
    (no_password, "startup", "password_missing", ""),
    (rejected, "startup", "authentication", "28000"),
    (no_entry, "startup", "authentication", "28000"),
    (no_such_role, "startup", "authentication", "28P01"),
    (no_such_role_where_all_are_trusted, "startup", "role_missing", "28000"),
    (role_without_login, "startup", "authentication", "28000"),
    (role_limit, "startup", "role_limit", "53300"),
    (database_limit, "startup", "database_limit", "53300"),
    (all_slots_taken, "startup", "too_many_connections", "53300"),
    (no_slot_even_for_superusers, "startup", "too_many_connections", "53300"),
    (no_such_database, "startup", "database", "3D000"),
    (closed_database, "startup", "database", "55000"),
    (database_of_others, "startup", "permission", "42501"),
    (smart_shutdown, "startup", "starting", "57P03"),
    (standby_without_readers, "startup", "starting", "57P03"),
    (tls_off, "tls", "tls_unsupported", ""),
    (unknown_authority, "tls", "tls_verify", ""),
    (expired_certificate, "tls", "tls_verify", ""),
    (certificate_of_another_host, "tls", "tls_hostname", ""),
    (older_tls, "tls", "tls", ""),
    (unknown_name, "resolve", "resolve", ""),
    (nobody_listens, "tcp", "refused", ""),
    (black_hole, "tcp", "timeout", ""),
    (closes_at_once, "tls", "closed", ""),
    (frozen_without_tls, "startup", "timeout", ""),
], ids=lambda value: getattr(value, "__name__", None))
def test_a_login_fails_in_its_phase_for_its_reason(scene, arrange, phase, reason, sqlstate):
    with arrange(scene) as dsn:
        probes = {"connect": FAST["connect"], "roundtrip": False, "idle": False}
        exporter = scene.watch(dsn=dsn, probes=probes)
        expected = (phase, reason, sqlstate)
        eventually(
            lambda: sum(failures(exporter.metrics()).values()) >= 2, what="two failures of connect"
        )
        families = exporter.metrics()
        exporter.stop()
    assert failures(families).keys() == {expected}
    assert families.value("pgconn_probe_success", probe="connect") == 0
    assert families.sum("pgconn_connection_drops_total") == 0
