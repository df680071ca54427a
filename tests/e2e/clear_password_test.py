"""An impostor in the server's place does not get our password unnoticed."""

import struct

import pytest

from tests.support.packages import programs
from tests.support.peers import Peer, message
from tests.support.process import Unavailable, eventually

PASSWORD = "correct-horse"


class Asker(Peer):
    """Asks every client that logs in for its password in clear text, and keeps the answer."""

    def __init__(self):
        self.told = []
        super().__init__()

    def converse(self, connection):
        connection.recv(4096)
        connection.sendall(message(b"R", struct.pack("!i", 3)))
        self.told.append(connection.recv(4096))
        connection.close()


def libpq_16():
    """A libpq that knows require_auth, from the files of a server; None if it cannot be had."""
    try:
        return str(next((programs(16).parent / "lib").glob("libpq.so.5.16"), "")) or None
    except Unavailable:
        return None


def exporter_that_asks(run_exporter, peer, **environment):
    return run_exporter({"targets": [{
        "name": "stranger", "dsn": f"host=127.0.0.1 port={peer.port} user=x sslmode=disable", "password_env": "SECRET",
    }]}, env={"SECRET": PASSWORD, **environment})


def test_libpq_16_gives_no_password_to_a_peer_that_asks_for_it_in_plain_text(run_exporter):
    library = libpq_16()
    if not library:
        pytest.skip("libpq 16 cannot be had")
    with Asker() as peer:
        exporter = exporter_that_asks(run_exporter, peer, LD_PRELOAD=library)
        [build] = exporter.metrics().samples("pgconn_exporter_build_info")
        assert build.labels["libpq"].startswith("16.")
        line = exporter.process.wait_log("target cannot be collected")
        assert "reason=authentication" in line and "server requested a cleartext password" in line
        eventually(lambda: peer.told, what="a login")
        exporter.stop()
    assert not any(PASSWORD.encode() in told for told in peer.told)
    assert not any("whoever answers" in line for line in exporter.log_lines)


def test_an_older_libpq_gives_it_and_the_log_says_so_once(newest, run_exporter):
    with Asker() as peer:
        exporter = exporter_that_asks(run_exporter, peer)
        [build] = exporter.metrics().samples("pgconn_exporter_build_info")
        if int(build.labels["libpq"].split(".")[0]) >= 16:
            pytest.skip("this libpq refuses to")
        for _ in range(3):
            exporter.metrics()
        line = exporter.process.wait_log("password may go to whoever answers")
        assert "target=stranger" in line and "verify-full" in line
        assert sum("whoever answers" in line for line in exporter.log_lines) == 1
        assert not any(PASSWORD in line for line in exporter.log_lines)


@pytest.mark.parametrize("verified", [False, True])
def test_a_password_for_a_server_that_is_not_verified_is_a_finding(verified, guarded, run_exporter):
    mode = "verify-full" if verified else "require"
    dsn = guarded.dsn(user="monitor", sslmode=mode, **({} if verified else {"sslrootcert": ""}))
    exporter = run_exporter({"targets": [{"name": "one", "dsn": dsn, "password_env": "SECRET"}]},
                            env={"SECRET": guarded.password})
    families = exporter.metrics()
    assert families.value("pgconn_up") == 1
    found = families.value("pgconn_finding", finding="password_to_unverified_server", subject="dsn")
    assert found == (None if verified else 1)
