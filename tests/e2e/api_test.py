"""/api/v1 answers as docs/openapi.json says; incidents have pages that can be linked to."""

import json
import re
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY, eventually

DOCUMENT = json.loads(Path(REPOSITORY, "docs/openapi.json").read_text())
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
         "number": (int, float)}


def fits(value, kind):
    return isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))


def check(value, schema, path="answer"):
    """Of JSON Schema, what the document uses."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    unknown = schema.keys() - {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern",
                               "description"}
    assert not unknown, f"{path}: this test does not know {unknown}"
    if "enum" in schema:
        assert value in schema["enum"], f"{path}: {value}"
        return
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(fits(value, kind) for kind in kinds), f"{path}: {value!r} is no {kinds}"
    if isinstance(value, str) and "pattern" in schema:
        assert re.search(schema["pattern"], value), f"{path}: {value}"
    if isinstance(value, list):
        for number, item in enumerate(value):
            check(item, schema["items"], f"{path}[{number}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        assert schema.get("required", []) == sorted(properties)
        assert properties.keys() <= value.keys(), f"{path} lacks {properties.keys() - value.keys()}"
        for name, item in value.items():
            rest = schema.get("additionalProperties", False)
            assert name in properties or rest, f"{path} has {name}, which is not described"
            check(item, properties.get(name, rest), f"{path}.{name}")


def answer(exporter, path, status="200"):
    page, _, _ = path.partition("?")
    got = exporter.get(path)
    assert (str(got.status), got.headers["content-type"]) == (status, "application/json"), got.text
    content = json.loads(got.text)
    check(content, DOCUMENT["paths"][page]["get"]["responses"][status]["content"]["application/json"]["schema"])
    return content


@pytest.fixture
def probing(newest, run_exporter):
    """One target that works and one that does not, with every probe on."""
    exporter = run_exporter({"targets": [
        {"name": "good", "dsn": newest.dsn(), "labels": {"cluster": "x"}},
        {"name": "bad", "dsn": "host=127.0.0.1 port=1 user=x"},
    ], "probes": {"connect": True, "roundtrip": {"interval": "1s", "timeout": "500ms"}, "idle": True,
                  "certificate": {"interval": "10s"}}})
    exporter.metrics()
    eventually(lambda: exporter.metrics().value("pgconn_held_connections", target="good", probe="roundtrip"))
    return exporter


def test_every_path_of_the_document_answers_as_it_says(probing):
    for path in DOCUMENT["paths"]:
        answer(probing, path)
        answer(probing, f"{path}?target=good")
        assert "unknown target" in answer(probing, f"{path}?target=gone", "404")["error"]
    one, two = answer(probing, "/api/v1/targets")["targets"]
    assert (one["target"], one["state"], one["server"]["role"]) == ("good", "up", "primary")
    assert (two["target"], two["state"], two["server"]) == ("bad", "down", None)
    assert "refused" in two["trouble"]["error"] and two["trouble"]["advice"]
    findings = answer(probing, "/api/v1/findings")["findings"]
    assert any(finding["fix"].startswith("ALTER SYSTEM") for finding in findings)
    [certificate] = eventually(lambda: answer(probing, "/api/v1/certificates?target=good")["certificates"])
    assert certificate["source"] == "server" and certificate["certificates"][0]["position"] == "leaf"
    assert probing.get("/api/v1/other").status == 404


def test_an_incident_has_a_page_with_its_evidence(newest, probing):
    assert "No connection was lost" in probing.get("/incidents").text
    newest.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'pgconn_exporter/roundtrip'")
    eventually(lambda: any(one["decided"] for one in answer(probing, "/api/v1/incidents")["incidents"]))
    [incident] = answer(probing, "/api/v1/incidents")["incidents"]
    assert (incident["target"], incident["cause"], incident["lost"]) == ("good", "admin_terminate", 1)
    assert incident["drops"][0]["sqlstate"] == "57P01" and incident["page"] == f"/incidents/good/{incident['id']}"
    page = probing.get(incident["page"])
    assert page.status == 200 and "default-src 'none'" in page.headers["content-security-policy"]
    for words in ("admin_terminate", "57P01", "terminating connection due to administrator command", "1 lost"):
        assert words in page.text
    for listing in ("/incidents", "/incidents?target=good", "/"):
        assert f'href="{incident["page"]}"' in probing.get(listing).text, listing
    assert "admin_terminate" not in probing.get("/incidents?target=bad").text
    for gone in ("/incidents/good/99", "/incidents/good/x", "/incidents/gone/1", "/incidents/good", "/incidents?target=gone"):
        assert probing.get(gone).status == 404, gone
