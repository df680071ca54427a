"""Whatever answers at a target's address, the exporter survives it and reports what it met."""

import random
import struct

import pytest

from tests.support.peers import Impostor, Rude, message

HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
RANDOM = random.Random(1).randbytes(100_000)
ROWS = (
    message(b"1", b"") + message(b"2", b"")
    + message(b"T", struct.pack("!h", 1) + b"version\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
    + message(b"D", struct.pack("!hi", 1, 3) + b"???") + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")
)
NOTICE = message(b"N", b"SNOTICE\0C00000\0Mblah blah\0\0")


def scrape_and_expect_down(run_exporter, peer, sslmode, reasons):
    exporter = run_exporter({"targets": [
        {"name": "peer", "dsn": f"host=127.0.0.1 port={peer.port} user=x sslmode={sslmode}"},
    ]})
    families = exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})
    assert families.value("pgconn_up", target="peer") == 0
    met = {sample.labels["reason"] for sample in families.samples("pgconn_scrape_errors_total")
           if sample.value}
    assert met and met <= set(reasons)
    assert "target=peer" in exporter.process.wait_log("target cannot be collected")
    assert exporter.get("/-/healthy").status == 200
    assert families.value("process_resident_memory_bytes") < 200e6


@pytest.mark.parametrize("sslmode", ["disable", "require"])
@pytest.mark.parametrize("answer, reasons", [
    (b"", ["closed", "reset"]),
    (HTTP, ["protocol"]),
    (RANDOM, ["protocol", "closed", "reset", "tls"]),
    (b"S" * 50_000, ["protocol", "tls"]),
    (b"N", ["protocol", "tls_unsupported"]),
    (message(b"R", struct.pack("!i", 4711)), ["protocol", "authentication"]),
    (b"R\x7f\xff\xff\xff" + b"x" * 1000, ["protocol", "closed", "reset"]),
    (message(b"R", struct.pack("!i", 10) + b"NO-SUCH-MECHANISM\0\0"), ["protocol", "authentication"]),
    (b"E" + b"no such server\n\0", ["protocol", "server_error", "closed"]),
    (message(b"E", b"SFATAL\0C\xff\xff\0M" + b"\xff\n" * 5_000 + b"\0\0"), ["protocol", "server_error"]),
    (message(b"E", b""), ["protocol", "server_error", "closed"]),
], ids=["closes", "HTTP", "random", "S and on", "no TLS", "odd login", "huge length", "odd mechanism", "old error",
        "error of junk", "empty error"])
def test_a_peer_that_is_no_server_is_reported(answer, reasons, sslmode, run_exporter):
    with Rude(answer) as peer:
        scrape_and_expect_down(run_exporter, peer, sslmode, reasons)


@pytest.mark.parametrize("words, forever, reasons", [
    (b"", False, ["closed", "reset"]),
    (RANDOM, False, ["protocol", "closed", "reset"]),
    (ROWS, False, ["protocol", "closed", "reset"]),
    (ROWS, True, ["protocol", "closed", "reset", "timeout"]),
    (NOTICE, True, ["timeout", "protocol"]),
    (message(b"A", struct.pack("!i", 1) + b"channel\0payload\0"), True, ["timeout", "protocol"]),
    (message(b"S", b"server_version\0nonsense\0"), True, ["timeout", "protocol"]),
    (message(b"Z", b"I"), True, ["timeout", "protocol"]),
    (message(b"E", b"SERROR\0C22000\0Mno\0\0"), True, ["timeout", "protocol", "closed"]),
], ids=["closes", "random", "odd rows", "odd rows forever", "notices forever", "notifications forever",
        "parameters forever", "ready forever", "errors forever"])
def test_a_peer_that_lets_us_in_and_then_talks_nonsense_is_reported(words, forever, reasons, run_exporter):
    with Impostor(words, forever) as peer:
        scrape_and_expect_down(run_exporter, peer, "disable", reasons)
