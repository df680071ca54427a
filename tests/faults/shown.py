"""Which certificates a server shows, and what the exporter reports about them."""

import os

from tests.support import logfmt
from tests.support.process import eventually

PACE = {"interval": "1500ms", "timeout": "1400ms"}
ALONE = {"certificate": PACE}


def show(scene, *chain):
    """Makes the server show this chain, leaf first."""
    tls = scene.box.directory / "tls"
    number = len(list(tls.glob("shown-*.crt")))
    certificate, key = tls / f"shown-{number}.crt", tls / f"shown-{number}.key"
    key.touch(0o600)
    key.write_text(chain[0].key.read_text())
    certificate.write_text("".join(part.path.read_text() for part in chain))
    owner = tls.stat()
    os.chown(key, owner.st_uid, owner.st_gid)
    scene.alter_system(ssl_cert_file=certificate, ssl_key_file=key)


def back_up(scene):
    """Starts the server again, whatever it shows then."""
    scene.box.start()
    scene.admin = scene.box.connect(application_name="admin", **scene.transport("unix"))


def facts(families, source="server"):
    """Everything reported about a source, except whether it is readable now."""
    return sorted(
        (sample.name, tuple(sorted(sample.labels.items())), sample.value)
        for family in families.values() if family.name.startswith(("pgconn_certificate", "pgconn_crl"))
        for sample in family.samples
        if sample.labels["source"] == source and sample.name != "pgconn_certificate_readable"
    )


def value(families, name, source="server", **labels):
    return families.value(f"pgconn_certificate_{name}", source=source, **labels)


def verdict(families):
    """The verification of the server's chain: (1 or 0, why)."""
    (sample,) = families.samples("pgconn_certificate_verified", source="server")
    return sample.value, sample.labels["error"]


def until(exporter, condition, what, timeout=30.0):
    """The first scrape that meets the condition."""

    def scrape():
        families = exporter.metrics()
        return families if condition(families) else None

    return eventually(scrape, timeout, what)


def until_looked(exporter, times=1, probe="certificate"):
    """The scrape after so many more runs of a probe have ended."""
    before = exporter.metrics().value("pgconn_probe_attempts_total", probe=probe) or 0
    return until(
        exporter,
        lambda families:
        families.value("pgconn_probe_attempts_total", probe=probe) >= before + times + 1,
        f"{times} runs of {probe}",
    )


def warnings(exporter, source="server"):
    return [record["error"] for record in
            logfmt.records(exporter.log_lines, "certificates are not in order", source=source)]


def until_warned(exporter, *expected, source="server"):
    """Waits for these warnings, and no others."""
    eventually(lambda: len(warnings(exporter, source)) >= len(expected), what="a warning")
    assert warnings(exporter, source) == list(expected)


def replacements(exporter, source="server"):
    return [record["serial"] for record in
            logfmt.records(exporter.log_lines, "certificates were replaced", source=source)]
