"""Sessions of clients on another host."""

import contextlib

import psycopg2
import pytest

from tests.integration.scenes import by
from tests.support.exporter import Exporter
from tests.support.midbox import SERVER_ADDRESS, far_from
from tests.support.process import Unavailable


@pytest.fixture
def remote_box(new_box):
    """A server in a network of its own; the test is on another host."""
    box = new_box()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(far_from(box))
        except Unavailable as reason:
            pytest.skip(str(reason))
        yield box


def test_remote_sessions_are_told_apart_and_those_without_encryption_by_owner(remote_box):
    def session(sslmode):
        dsn = remote_box.dsn(host=SERVER_ADDRESS, sslmode=sslmode, sslrootcert=None)
        return contextlib.closing(psycopg2.connect(dsn))

    dsn = remote_box.dsn(host=SERVER_ADDRESS, sslmode="require", sslrootcert=None)
    with session("disable"), session("disable"), session("require"), Exporter(
            {"targets": [{"name": "far", "dsn": dsn}]}) as exporter:
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        transports = by(("transport", "origin"), families.samples("pgconn_transport_sessions"))
        told = {key: count for key, count in transports.items() if count}
        assert told == {("plain", "remote"): 2, ("tls", "remote"): 1}
        plaintext = by(("database", "user"), families.samples("pgconn_plaintext_remote_sessions"))
        assert plaintext == {("postgres", "postgres"): 2}
