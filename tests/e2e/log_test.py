"""The log: every line parses, and a state is reported once, when it begins."""

import json
import re

import pytest

from tests.support import logfmt
from tests.support.logfmt import records
from tests.support.peers import Rude, message, refusing
from tests.support.process import eventually

READERS = {"logfmt": logfmt.parse, "json": json.loads}
# What a server may say to make a mess of a log: line ends, quotes, escapes, invalid UTF-8.
MEAN = b'SFATAL\0C28000\0Mline one\nts=forged level=info msg="owned"\r\x1b[31m \\ \xff\xfe\t"\0\0'


@pytest.mark.parametrize("name", READERS)
def test_every_line_parses_whatever_a_server_says(name, newest, run_exporter):
    with Rude(message(b"E", MEAN)) as mean, refusing() as port:
        exporter = run_exporter({"targets": [
            {"name": "one", "dsn": newest.dsn()},
            {"name": "mean", "dsn": f"host=127.0.0.1 port={mean.port} user=x sslmode=disable"},
            {"name": "down", "dsn": f"host=127.0.0.1 port={port} user='quo\"te'"},
        ]}, f"--log.format={name}", "--log.level=debug")
        exporter.metrics()
    exporter.process.terminate()
    assert exporter.wait() == 0
    entries = [READERS[name](line) for line in exporter.log_lines]
    assert {"starting", "listening", "target is up", "target cannot be collected", "stopping", "stopped"} <= {
        entry["msg"] for entry in entries}
    for entry in entries:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["ts"])
        assert entry["level"] in ("debug", "info", "warn", "error")
    told = next(entry for entry in entries if entry.get("target") == "mean")
    assert told["sqlstate"] == "28000" and "line one" in told["error"]
    assert "\x1b" not in "".join(exporter.log_lines)


def test_a_failure_is_reported_when_it_begins_changes_and_ends_and_not_at_each_scrape(new_box, run_exporter):
    box = new_box()
    box.psql("CREATE DATABASE shop")
    exporter = run_exporter({"targets": [{"name": "shop", "dsn": box.dsn(dbname="shop")}]})

    def told(**fields):
        return len(records(exporter.log_lines, "target cannot be collected", target="shop", **fields))

    def scrape_until(up):
        eventually(lambda: exporter.metrics().value("pgconn_up") == up)

    for _ in range(3):
        assert exporter.metrics().value("pgconn_up") == 1
    exporter.process.wait_log("target is up")
    assert told() == 0 and len(records(exporter.log_lines, "target is up")) == 1

    box.psql("DROP DATABASE shop WITH (FORCE)")
    for _ in range(5):
        assert exporter.metrics().value("pgconn_up") == 0
    eventually(lambda: told(reason="database", sqlstate="3D000", level="warn"))
    assert told() == 1

    box.stop()
    eventually(lambda: exporter.metrics() and told(reason="refused"), what="the change of the reason")
    for _ in range(5):
        assert exporter.metrics().value("pgconn_up") == 0
    assert told() == 2

    box.start()
    box.psql("CREATE DATABASE shop")
    scrape_until(up=1)
    eventually(lambda: len(records(exporter.log_lines, "target is up", target="shop", level="info")) == 2)


def test_a_probe_s_failure_is_reported_when_it_begins_and_ends_and_not_at_each_run(new_box, run_exporter):
    box = new_box()
    exporter = run_exporter({
        "targets": [{"name": "one", "dsn": box.dsn()}],
        "probes": {"connect": {"interval": "200ms", "timeout": "150ms"}, "idle": False,
                   "roundtrip": {"interval": "200ms", "timeout": "150ms"}, "certificate": False},
    })

    def failures(probe):
        return exporter.metrics().sum("pgconn_probe_failures_total", probe=probe, reason="refused")

    def told(message, probe):
        return records(exporter.log_lines, message, target="one", probe=probe)

    def succeeds(probe):
        return exporter.metrics().value("pgconn_probe_success", probe=probe) == 1

    eventually(lambda: succeeds("connect") and succeeds("roundtrip"))
    box.stop()
    eventually(lambda: failures("connect") >= 10 and failures("roundtrip") >= 10)
    box.start()
    for probe in ("connect", "roundtrip"):
        eventually(lambda: told("probe succeeds again", probe), what=f"{probe} again")
        # It may have failed in other ways while the server went down and came up.
        refused = [record for record in told("probe fails", probe) if record["reason"] == "refused"]
        assert len(refused) == 1 and "listen_addresses" in refused[0]["do"]
        assert len(told("probe fails", probe)) <= 4


def test_every_failure_says_what_to_do(newest, run_exporter):
    with refusing() as port:
        exporter = run_exporter({"targets": [
            {"name": "refused", "dsn": f"host=127.0.0.1 port={port}"},
            {"name": "nowhere", "dsn": newest.dsn(dbname="nowhere")},
            {"name": "nobody", "dsn": newest.dsn("nobody")},
        ]})
        exporter.metrics()
    for name, words in (("refused", "listen_addresses"), ("nowhere", "dbname"), ("nobody", "role")):
        exporter.process.wait_log(f"target={name} ")
        [entry] = records(exporter.log_lines, "target cannot be collected", target=name)
        assert words in entry["do"]


def test_the_level_cuts_off_what_is_below(newest, run_exporter):
    exporter = run_exporter({"targets": [
        {"name": "one", "dsn": newest.dsn()}, {"name": "nowhere", "dsn": newest.dsn(dbname="nowhere")},
    ]}, "--log.level=warn")
    exporter.metrics()
    exporter.process.wait_log("target=nowhere")
    assert {logfmt.parse(line)["level"] for line in exporter.log_lines} == {"warn"}
