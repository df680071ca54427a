"""Files of certificates and revocation lists that the exporter watches: reported, counted when replaced, never leaking."""

import pytest

import os
import time

from tests.faults.shown import (
    ALONE, PACE, facts, replacements, until, until_looked, until_warned, value, warnings,
)
from tests.support.certificates import DAY


def watched(directory, **contents):
    """A file with each of these contents, and how the configuration names them."""
    for name, content in contents.items():
        (directory / f"{name}.pem").write_text(content)
    return [{"name": name, "path": str(directory / f"{name}.pem")} for name in contents]


def replace(path, content):
    """Atomically: no reader sees half of it."""
    beside = path.with_suffix(".new")
    beside.write_text(content)
    beside.rename(path)


@pytest.mark.newest_only
def test_files_are_reported_with_or_without_the_probe(scene, root, tmp_path):
    next_update = int(time.time()) + 7 * DAY
    client = root.issue("exporter", ends=5 * DAY)
    files = watched(
        tmp_path, client=client.path.read_text(),
        crl=root.revocation_list(next_update).read_text(),
    )
    own = watched(tmp_path, ca=root.path.read_text())
    exporter = scene.watch(
        files=files, target={"files": own}, probes={"certificate": {**PACE, "enabled": False}}
    )
    families = until(exporter, lambda families: value(families, "readable", "ca") == 1, "files")
    assert value(families, "chain_not_after_timestamp_seconds", "client") == client.not_after
    assert value(families, "info", "client", position="leaf", subject="CN=exporter") == 1
    assert value(families, "info", "ca", position="root", subject="CN=Root") == 1
    assert families.value("pgconn_crl_next_update_timestamp_seconds", source="crl") == next_update
    for source in ("client", "ca", "crl"):
        assert value(families, "readable", source) == 1
        assert value(families, "changes_total", source) == 0
    # Whether a file is trusted is not asked, and no handshake was made.
    assert families.samples("pgconn_certificate_verified") == []
    assert families.samples("pgconn_probe_attempts_total", probe="certificate") == []
    assert families.samples("pgconn_tls_offered") == []


@pytest.mark.newest_only
def test_a_file_that_is_replaced_is_a_rotation_and_one_that_vanishes_is_not(scene, root, tmp_path):
    old, new = root.issue("exporter", ends=DAY), root.issue("exporter", ends=9 * DAY)
    files = watched(tmp_path, client=old.path.read_text())
    path = tmp_path / "client.pem"
    exporter = scene.watch(files=files, probes=ALONE)
    before = facts(until_looked(exporter), "client")

    path.unlink()
    families = until(exporter, lambda families: value(families, "readable", "client") == 0, "loss")
    assert facts(families, "client") == before
    until_warned(exporter, f"cannot read {path}: No such file or directory", source="client")

    # A half-written file does not count yet.
    replace(path, new.path.read_text() + old.path.read_text()[:100])
    families = until_looked(exporter, 2)
    assert value(families, "readable", "client") == 0
    assert facts(families, "client") == before

    replace(path, new.path.read_text())
    until(exporter, lambda families: value(families, "readable", "client") == 1, "its return")
    families = until_looked(exporter, 2)
    assert value(families, "changes_total", "client") == 1
    assert value(families, "chain_not_after_timestamp_seconds", "client") == new.not_after
    assert replacements(exporter, "client") == [new.serial]


@pytest.mark.newest_only
def test_files_without_anything_useful_are_unreadable_and_reported_once(scene, tmp_path):
    files = watched(tmp_path, empty="", words="not a certificate\n")
    os.mkfifo(tmp_path / "pipe")
    files += [{"name": "pipe", "path": str(tmp_path / "pipe")},
              {"name": "directory", "path": str(tmp_path)}]
    exporter = scene.watch(files=files, probes=ALONE)
    families = until_looked(exporter, 3)
    for source in ("empty", "words", "pipe", "directory"):
        assert value(families, "readable", source) == 0
        assert facts(families, source) == []
        assert len(warnings(exporter, source)) == 1


@pytest.mark.newest_only
def test_a_private_key_beside_a_certificate_appears_nowhere(scene, root, tmp_path):
    client = root.issue("exporter")
    key = client.key.read_text()
    files = watched(tmp_path, both=key + client.path.read_text(), key=key, broken=key[:-40])
    exporter = scene.watch(files=files, probes=ALONE)
    families = until_looked(exporter)
    assert value(families, "readable", "both") == 1
    assert value(families, "readable", "key") == 0
    pages = [exporter.get(path).text for path in ("/metrics", "/")]
    exporter.stop()
    secrets = [line for line in key.splitlines() if len(line) > 30 and "PRIVATE" not in line]
    assert secrets
    for text in (*pages, "\n".join(exporter.log_lines)):
        assert "PRIVATE KEY" not in text
        assert not any(secret[:30] in text for secret in secrets)
