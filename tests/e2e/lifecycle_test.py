"""How it ends, and what it survives."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.exporter import binary
from tests.support.peers import Peer
from tests.support.process import REPOSITORY, eventually, free_port, http_get


@pytest.fixture
def scraping(newest, run_exporter):
    """An exporter in the middle of a scrape of a healthy target and a silent one, and the scrape's answers."""
    with Peer() as silent:
        exporter = run_exporter({"targets": [
            {"name": "one", "dsn": newest.dsn()},
            {"name": "silent", "dsn": f"host=127.0.0.1 port={silent.port} user=x"},
        ]})
        answers = []

        def ask():
            with contextlib.suppress(OSError):  # the test may cut it off
                answers.append(exporter.get("/metrics"))

        scrape = threading.Thread(target=ask, daemon=True)
        scrape.start()
        eventually(lambda: silent.accepted, what="the scrape under way")
        exporter.answers = answers
        exporter.scrape = scrape
        yield exporter


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_scrape_under_way_finish_and_leaves_no_session(
        number, scraping, newest, sessions_of_exporters):
    eventually(lambda: sessions_of_exporters(newest) == 1)
    scraping.process.signal(number)
    # Connecting may take 5 s and a scrape 10 s; stopping the exporter does not wait that long.
    assert scraping.wait(timeout=4) == 0
    scraping.scrape.join()
    assert scraping.answers[0].status == 200
    assert 'pgconn_up{target="one"} 1' in scraping.answers[0].text
    # It was not reported as down: nothing waited for it.
    assert 'pgconn_up{target="silent"}' not in scraping.answers[0].text
    assert sum("msg=stopped" in line for line in scraping.log_lines) == 1
    eventually(lambda: sessions_of_exporters(newest) == 0, what="the end of the session")


def test_a_second_signal_ends_it_at_once(scraping):
    scraping.process.signal(signal.SIGTERM)
    scraping.process.wait_log("msg=stopping")
    scraping.process.signal(signal.SIGTERM)
    assert scraping.wait(timeout=1.5) == 1, "two seconds are what a scrape under way is given"


def test_an_idle_exporter_ends_promptly_and_closes_its_session_properly(newest, run_exporter, sessions_of_exporters):
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}]})
    assert exporter.metrics().value("pgconn_up") == 1
    lost = newest.log_count("could not receive data from client|unexpected EOF on client connection")
    exporter.process.signal(signal.SIGTERM)
    assert exporter.wait(timeout=2) == 0
    eventually(lambda: sessions_of_exporters(newest) == 0)
    assert newest.log_count("could not receive data from client|unexpected EOF on client connection") == lost


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH])
def test_other_signals_do_not_end_it(number, newest, run_exporter):
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}]})
    exporter.process.signal(number)
    assert exporter.metrics().value("pgconn_up") == 1


def test_it_stops_although_clients_are_half_open_or_do_not_read(newest, run_exporter):
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}]})
    address = ("127.0.0.1", exporter.port)
    with socket.create_connection(address) as mute, socket.create_connection(address) as deaf:
        mute.sendall(b"GET /metr")
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        exporter.process.signal(signal.SIGTERM)
        assert exporter.wait() == 0


def test_a_log_reader_that_stops_reading_does_not_keep_it_from_ending():
    port = free_port()
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": "1"}
    read, write = os.pipe()
    child = subprocess.Popen([binary(), f"--web.listen-address=127.0.0.1:{port}"], env=environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=write)
    try:
        seen = b""
        while b"msg=listening" not in seen:
            seen += os.read(read, 4096)
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, b"x")
        assert http_get(port, "/metrics").status == 200
        child.terminate()
        assert child.wait(15) == 0
    finally:
        child.kill()
        child.wait()
        os.close(read)
        os.close(write)


def test_a_hanging_io_thread_does_not_keep_it_from_ending(tmp_path, run_exporter):
    library = tmp_path / "hanging_connect.so"
    source = Path(REPOSITORY, "tests/support/hanging_connect.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    exporter = run_exporter(
        {"targets": [{"name": "one", "dsn": "host=127.0.0.1 port=9 user=x"}]},
        env={"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"})
    with contextlib.suppress(OSError):
        exporter.get("/metrics", timeout=0.2)  # begins to connect
    eventually(lambda: exporter.get("/-/healthy").status == 503, what="the I/O thread to hang")
    exporter.process.signal(signal.SIGTERM)
    assert exporter.wait(timeout=15) == 1
    assert any("stopped by force" in line for line in exporter.log_lines)


@pytest.mark.parametrize("closed", [(0,), (1, 2), (0, 1, 2)])
def test_standard_streams_that_are_closed_are_replaced_by_dev_null(closed):
    port = free_port()
    shut = " ".join(f"{stream}>&-" for stream in closed)
    command = f'exec "$0" "$1" {shut}'
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": "1"}
    child = subprocess.Popen(["/bin/sh", "-c", command, binary(), f"--web.listen-address=127.0.0.1:{port}"],
                             env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def scraped():
            with contextlib.suppress(OSError):
                return http_get(port, "/metrics").status == 200

        eventually(scraped)
        assert {os.readlink(f"/proc/{child.pid}/fd/{stream}") for stream in closed} == {"/dev/null"}
        child.terminate()
        assert child.wait(15) == 0
    finally:
        child.kill()
        child.wait()


def test_its_port_is_free_again_once_it_has_ended(newest, run_exporter):
    config = {"targets": [{"name": "one", "dsn": newest.dsn()}]}
    first = run_exporter(config)
    first.metrics()
    first.process.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert run_exporter(config, port=first.port).metrics().value("pgconn_up") == 1


def test_it_keeps_running_when_nobody_reads_its_log_any_more():
    port = free_port()
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": "1"}
    child = subprocess.Popen([binary(), f"--web.listen-address=127.0.0.1:{port}"], env=environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        child.stdout.readline()
        child.stdout.close()

        def scraped():
            with contextlib.suppress(OSError):
                return http_get(port, "/metrics").status == 200

        eventually(scraped)  # it logs that the target is down, into a pipe that is closed
        assert http_get(port, "/metrics").status == 200
        child.terminate()
        assert child.wait(15) == 0
    finally:
        child.kill()
        child.wait()
