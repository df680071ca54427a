"""Many clients that are slow, silent, gone or guessing: scrapes stay in time, memory and descriptors flat."""

import concurrent.futures
import contextlib
import http.client
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.process import eventually
from tests.support.secured import SecuredExporter, bcrypt, client_context, login

GUESSER = "127.0.0.2"  # another address of this machine than the scraper's


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "ca", "authority")


@pytest.fixture(params=["plain", "TLS"])
def exporter(request, authority, newest):
    """Watches a healthy server; with TLS it also requires a login."""
    config = {"targets": [{"name": "one", "dsn": newest.dsn()}]}
    web, context = {}, None
    if request.param == "TLS":
        leaf = authority.issue("exporter")
        web = {"tls_server_config": {"cert_file": str(leaf.path), "key_file": str(leaf.key)},
               "basic_auth_users": {"alice": bcrypt("right")}}
        context = client_context(authority)
    with SecuredExporter(web, config=config, context=context) as running:
        yield running


def connect(exporter, source="127.0.0.1"):
    """A connection on which a request may be sent."""
    connection = socket.create_connection(("127.0.0.1", exporter.port), 10, (source, 0))
    if not exporter.context:
        return connection
    return exporter.context.wrap_socket(connection, server_hostname="localhost")


def scrape_times(exporter, count):
    """Of that many good scrapes, the shortest first."""
    times = []
    for _ in range(count):
        begin = time.monotonic()
        answer = exporter.get("/metrics", login("alice", "right"))
        times.append(time.monotonic() - begin)
        assert answer.status == 200 and 'pgconn_up{target="one"} 1' in answer.text
    return sorted(times)


def footprint(process):
    """Its resident kB and open descriptors."""
    [kilobytes] = [int(line.split()[1]) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
                   if line.startswith("VmRSS")]
    return kilobytes, len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


@contextlib.contextmanager
def dripping(exporter, count):
    """Clients that keep sending a request's head byte by byte, and come back when they are sent away."""
    over, came_back = threading.Event(), []

    def begin(old=None):
        if old:
            came_back.append(old)
            old.close()
        client = socket.create_connection(("127.0.0.1", exporter.port), 10)
        client.setblocking(False)
        client.send(b"\x16" if exporter.context else b"G")
        return client

    def drip(clients):
        while not over.wait(0.2):
            for number, client in enumerate(clients):
                try:
                    client.send(b"\x03" if exporter.context else b"E")
                except OSError:
                    with contextlib.suppress(OSError):
                        clients[number] = begin(client)
        for client in clients:
            client.close()

    dripper = threading.Thread(target=drip, args=([begin() for _ in range(count)],))
    dripper.start()
    try:
        yield came_back
    finally:
        over.set()
        dripper.join()


def test_a_thousand_slow_clients_are_not_noticed(exporter):
    scrape_times(exporter, 5)
    before = footprint(exporter.process)
    with dripping(exporter, 1000) as came_back:
        eventually(lambda: came_back, what="slow clients that are sent away")
        times = scrape_times(exporter, 30)
        during = footprint(exporter.process)
    # The longest one was slowed down by what else the machine does.
    assert times[len(times) // 2] < 0.1 and times[-1] < 1, times
    assert during[0] - before[0] < 60_000 and during[1] - before[1] < 400, (before, during)
    eventually(lambda: footprint(exporter.process)[1] <= before[1] + 2, what="descriptors given back")


def test_clients_that_leave_without_notice_hold_no_place(exporter):
    begun, over, request = threading.Barrier(9), threading.Event(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    def come_and_go():
        begun.wait()
        while not over.is_set():
            with contextlib.suppress(OSError), connect(exporter) as client:
                client.sendall(request)  # and no more: neither is the answer read nor TLS ended

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(come_and_go)
        try:
            begun.wait()
            times = scrape_times(exporter, 40)
        finally:
            over.set()
    assert times[-1] < 1, times
    assert not [line for line in exporter.log_lines if "handshake failed" in line]


@pytest.mark.parametrize("exporter", ["TLS"], indirect=True)  # without the file there are no logins
def test_the_right_login_does_not_wait_behind_guesses(exporter):
    over, statuses = threading.Event(), set()

    def guess(number):
        while not over.is_set():
            with contextlib.suppress(OSError, ssl.SSLError, http.client.HTTPException):
                client = http.client.HTTPSConnection("localhost", exporter.port, timeout=10, context=exporter.context,
                                                     source_address=(GUESSER, 0))
                client.request("GET", "/", headers=login(f"user{number}", "guess"))
                statuses.add(client.getresponse().status)
                client.close()

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for number in range(64):
            pool.submit(guess, number)
        try:
            eventually(lambda: {401, 503} <= statuses, what="guesses that wait for one another")
            begin = time.monotonic()
            assert exporter.get("/metrics/exporter", login("alice", "right")).status == 200
            first = time.monotonic() - begin
            times = scrape_times(exporter, 10)
        finally:
            over.set()
    assert first < 1.5 and times[-1] < 1.5, (first, times)
