"""What the HTTP side answers: formats, compression, parameters, and clients that misbehave."""

import contextlib
import ctypes
import gzip
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.support import exposition
from tests.support.exporter import Exporter
from tests.support.peers import Peer
from tests.support.process import eventually, http_get

PROMETHEUS_2 = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
PROMETHEUS_3 = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;"
                "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module")
def exporter(newest):
    """Two targets: `one` with every collector, `two` without `blocking`."""
    with Exporter({"targets": [
        {"name": "one", "dsn": newest.dsn()},
        {"name": "two", "dsn": newest.dsn(), "collectors": {"blocking": False}},
    ]}) as running:
        yield running


def converse(port, request, timeout=20.0):
    """Sends raw bytes; whatever comes back until the other side closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        with contextlib.suppress(ConnectionError):  # refused before it was read to its end
            connection.sendall(request)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                answer += piece
    return answer.decode()


def test_the_health_endpoints_answer_200(exporter):
    for path in ("/-/healthy", "/-/ready"):
        assert exporter.get(path).status == 200


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_FOR_THREADS = 0x40000000  # __WALL


@contextlib.contextmanager
def stopped_thread(thread):
    """A thread of a child that does not run for a while, unlike the others of its process."""
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(request):
        if libc.ptrace(request, thread, None, None) != 0:
            pytest.skip(f"threads cannot be stopped here: {os.strerror(ctypes.get_errno())}")

    trace(PTRACE_SEIZE)
    trace(PTRACE_INTERRUPT)
    os.waitpid(thread, WAIT_FOR_THREADS)
    try:
        yield
    finally:
        trace(PTRACE_DETACH)


def test_an_exporter_whose_io_thread_is_stuck_is_not_healthy(exporter):
    [io_thread] = [int(path.parent.name) for path in Path(f"/proc/{exporter.process.pid}/task").glob("*/comm")
                   if path.read_text() == "io\n"]
    with stopped_thread(io_thread):
        answer = exporter.get("/-/healthy")
        assert (answer.status, answer.text.strip()) == (503, "the I/O thread does not answer")
    assert exporter.get("/-/healthy").status == 200


@pytest.mark.parametrize("accept, expected", [
    (None, TEXT), ("", TEXT), ("*/*", TEXT), (BROWSER, TEXT), ("nonsense;;q=?,/", TEXT),
    ("text/plain", TEXT), ("application/openmetrics-text;q=0, text/plain", TEXT),
    ("application/openmetrics-text;q=0.1,text/plain;version=0.0.4;q=0.9", TEXT),
    (PROMETHEUS_2, OPENMETRICS), (PROMETHEUS_3, OPENMETRICS), ("application/openmetrics-text", OPENMETRICS),
], ids=["nothing", "empty", "anything", "a browser", "nonsense", "text", "OpenMetrics refused", "text liked better",
        "Prometheus 2", "Prometheus 3", "OpenMetrics"])
def test_the_format_is_the_one_the_client_prefers(exporter, accept, expected):
    answer = exporter.get("/metrics", {} if accept is None else {"Accept": accept})
    assert answer.status == 200
    assert answer.headers["content-type"] == f"{expected}; charset=utf-8"
    assert answer.text.endswith("\n# EOF\n") == (expected == OPENMETRICS)
    assert {word.strip().lower() for word in answer.headers["vary"].split(",")} == {"accept", "accept-encoding"}


@pytest.mark.parametrize("accepted, compressed", [
    ("gzip", True), ("deflate, GZIP;q=0.5", True), ("*", True),
    ("", False), ("identity", False), ("br, deflate", False), ("gzip;q=0", False), ("gzip;q=0, *", False),
])
def test_the_answer_is_compressed_for_clients_that_accept_it(exporter, accepted, compressed):
    answer = exporter.get("/metrics", {"Accept-Encoding": accepted})
    assert (answer.headers.get("content-encoding") == "gzip") == compressed
    assert int(answer.headers["content-length"]) == len(answer.body)
    text = (gzip.decompress(answer.body) if compressed else answer.body).decode()
    assert exposition.parse(text).value("pgconn_up", target="one") == 1


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_head_gives_the_headers_of_get_and_no_body(exporter, path):
    raw = converse(exporter.port, f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, body = raw.split("\r\n\r\n", 1)
    assert head.startswith("HTTP/1.1 200 ") and body == ""
    length = next(line for line in head.lower().split("\r\n") if line.startswith("content-length: "))
    assert int(length.split()[1]) > 0


def test_one_target_can_be_asked_for_alone(exporter):
    families = exporter.metrics("target=two")
    assert {sample.labels["target"] for sample in families.samples("pgconn_up")} == {"two"}
    assert "pgconn_exporter_build_info" not in families, "the exporter's own would come once per target"


def test_the_exporter_s_own_metrics_are_available_without_asking_a_target(run_exporter):
    with Peer() as silent:
        exporter = run_exporter(
            {"targets": [{"name": "silent", "dsn": f"host=127.0.0.1 port={silent.port} user=x"}]})
        answer = exporter.get("/metrics/exporter")
        assert answer.status == 200 and not silent.accepted
        families = exposition.parse(answer.text)
        assert "pgconn_exporter_build_info" in families and "process_cpu_seconds_total" in families
        assert "pgconn_up" not in families
        again = exposition.parse(exporter.get("/metrics/exporter").text)
        assert again.value("pgconn_exporter_http_requests_total", path="/metrics/exporter", code="200") == 1
        assert "/metrics/exporter" in exporter.get("/").text


def test_some_collectors_can_be_asked_for_alone(exporter):
    families = exporter.metrics("collect[]=limits&collect%5B%5D=server")
    ran = {sample.labels["collector"] for sample in families.samples("pgconn_collector_success", target="one")}
    assert ran == {"limits", "server"}
    assert "pgconn_connection_slots" in families and "pgconn_sessions" not in families


def test_a_collector_that_one_target_has_off_runs_on_the_others_only(exporter):
    families = exporter.metrics("collect[]=blocking")
    assert families.value("pgconn_collector_success", target="one", collector="blocking") == 1
    assert families.value("pgconn_collector_success", target="two", collector="blocking") is None


@pytest.mark.parametrize("query, words", [
    ("target=three", ['"three"', "one", "two"]),
    ("target=", ["one", "two"]),
    ("collect[]=sesions", ['"sesions"', "sessions", "blocking", "settings"]),
    ("target=two&collect[]=blocking", ['"blocking"', "switched off", "sessions"]),
    ("target=%00%ff%3Cscript%3E", ["unknown target"]),
])
def test_what_does_not_exist_is_refused_with_a_list_of_what_does(exporter, query, words):
    answer = exporter.get(f"/metrics?{query}")
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.body.decode(errors="replace")
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("timeout", ["0.0009", "1e-9"])
def test_a_timeout_in_which_no_target_could_answer_is_refused(exporter, timeout):
    answer = exporter.get("/metrics", {"X-Prometheus-Scrape-Timeout-Seconds": timeout})
    assert answer.status == 400 and "below a millisecond" in answer.text


def test_deceptive_names_are_escaped_in_labels_on_pages_and_in_refusals(newest, run_exporter):
    exporter = run_exporter({"targets": [
        {"name": "one", "dsn": newest.dsn(), "labels": {"team": "a\u202eb\u009b2J"}}]})
    for text in (exporter.get("/metrics").text, exporter.get("/").text,
                 exporter.get("/metrics?target=a%E2%80%AEb%C2%9B2J").text):
        assert "\u202e" not in text and "\u009b" not in text
    assert exporter.metrics().value("pgconn_up", team=r"a\u202eb\u009b2J") == 1


@pytest.mark.parametrize("line, status", [
    ("OPTIONS * HTTP/1.1", 405), ("GET http://proxied.example/-/healthy HTTP/1.1", 200),
    ("GET https://proxied.example:1/metrics?target=two HTTP/1.1", 200), ("GET http://proxied.example HTTP/1.0", 200),
])
def test_requests_to_the_whole_server_and_as_to_a_proxy_are_answered(exporter, line, status):
    answer = converse(exporter.port, f"{line}\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} "), answer[:200]


def test_an_unknown_path_is_404_and_told_which_there_are(exporter):
    for path in ("/metric", "/metrics/", "/metrics/x", "//", "/..", "/%2e%2e/etc/passwd", "/-/quit"):
        answer = exporter.get(path)
        assert answer.status == 404, path
        assert "/metrics" in answer.text and "/-/healthy" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_405_and_told_the_allowed_ones(exporter, method):
    answer = exporter.get("/metrics", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("request_text", [
    "GET /metrics?" + "x" * 100_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: " + "x" * 100_000 + "\r\n\r\n",
    "GET /metrics HTTP/1.1\r\nHost: x\r\n" + "X-Many: 1\r\n" * 5_000 + "\r\n",
    "BREW /metrics\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
], ids=["long URL", "long header", "many headers", "no HTTP", "TLS"])
def test_a_request_that_is_too_large_or_no_request_at_all_is_refused(exporter, request_text):
    answer = converse(exporter.port, request_text.encode("latin-1"))
    assert answer == "" or answer.startswith("HTTP/1.1 4"), answer[:200]
    assert exporter.get("/-/healthy").status == 200


@pytest.mark.parametrize("begin", [
    b"GET /metrics HTTP/1.1\r\nX-Long: ", b"GET /metrics?target=",
], ids=["header", "URL"])
def test_a_request_above_the_limit_is_told_the_limit(exporter, begin):
    answer = converse(exporter.port, begin + b"x" * 16_384)
    assert answer.startswith("HTTP/1.1 4") and "16 KiB" in answer, answer[:300]


def test_a_body_is_neither_waited_for_nor_kept(exporter):
    head = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n"
    assert converse(exporter.port, head.encode()).startswith("HTTP/1.1 405 ")


@contextlib.contextmanager
def slow_clients(port, count):
    """Clients that begin a request and never end it."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        yield


def test_a_few_slow_clients_are_not_noticed(exporter):
    with slow_clients(exporter.port, 30):
        started = time.monotonic()
        assert exporter.get("/metrics").status == 200
        assert time.monotonic() - started < 4, "the scrape waited until the slow clients were cut"


def test_slow_clients_that_take_every_worker_are_cut_and_the_scrape_is_answered(run_exporter, newest):
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}]})
    with slow_clients(exporter.port, 100):
        assert exporter.get("/metrics", timeout=60).status == 200


def test_scrapes_above_the_limit_are_told_to_come_back(run_exporter):
    with Peer() as silent, contextlib.ExitStack() as stack:
        exporter = run_exporter(
            {"targets": [{"name": "silent", "dsn": f"host=127.0.0.1 port={silent.port} user=x"}]},
            "--web.max-requests=1",
        )
        first = []
        scrape = threading.Thread(target=lambda: first.append(exporter.get("/metrics")))
        scrape.start()
        stack.callback(scrape.join)
        eventually(lambda: silent.accepted, what="the first scrape under way")
        second = exporter.get("/metrics")
        assert second.status == 503 and int(second.headers["retry-after"]) >= 1
        assert "--web.max-requests=1" in second.text
        assert exporter.get("/-/healthy").status == 200
        silent.cut()
        scrape.join()
        assert first[0].status == 200
        assert exporter.get("/metrics").status == 200


def test_twenty_scrapes_at_once_make_one_connection(newest, run_exporter):
    made = "connection authorized: .*application_name=pgconn_exporter/collect"
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}]})
    before = newest.log_count(made)
    together = threading.Barrier(20)
    values = []

    def scrape():
        together.wait()
        values.append(exporter.metrics().value("pgconn_up"))

    threads = [threading.Thread(target=scrape) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [1] * 20
    assert newest.log_count(made) - before == 1


def test_another_telemetry_path_replaces_the_usual_one(run_exporter, newest):
    exporter = run_exporter({"targets": [{"name": "one", "dsn": newest.dsn()}]}, "--web.telemetry-path=/pg/metrics")
    assert exporter.get("/pg/metrics").status == 200
    assert http_get(exporter.port, "/metrics").status == 404
    assert '"/pg/metrics"' in exporter.get("/").text


def test_the_page_for_people_shows_what_is_up_down_skipped_and_what_to_do(newest, run_exporter):
    newest.psql("CREATE ROLE shy LOGIN")
    try:
        exporter = run_exporter({"targets": [
            {"name": "one", "dsn": newest.dsn()},
            {"name": "shy", "dsn": newest.dsn("shy")},
            {"name": "nowhere", "dsn": newest.dsn(dbname="nowhere<b>")},
        ]})
        assert "3 not yet scraped" in exporter.get("/").text
        exporter.metrics()
        page = exporter.get("/")
    finally:
        newest.psql("DROP ROLE shy")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for words in ("2 up, 1 down", "sessions, blocking, transport skipped", "GRANT pg_monitor TO &quot;shy&quot;",
                  "nowhere&lt;b&gt;", "check dbname in the dsn", str(exporter.config_path),
                  "statement_timeout_disabled", "SET statement_timeout = &#39;30s&#39;;"):
        assert words in page.text, words
