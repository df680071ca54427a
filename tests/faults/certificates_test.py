"""Certificates of real servers, good and bad: what the certificate probe reports, and what a login says."""

import time

import pytest

from tests.faults.held import failures, shut_down
from tests.faults.shown import (
    ALONE, PACE, back_up, facts, replacements, show, until, until_looked, until_warned, value, verdict, warnings,
)
from tests.integration.scenes import by
from tests.support import logfmt
from tests.support.certificates import DAY, Authority, self_signed

BOTH = {"connect": PACE, "certificate": PACE}


def in_order(scene, root):
    show(scene, root.issue())


def with_intermediate(scene, root):
    middle = Authority(root.path.parent / "middle", "Issuing", issuer=root)
    show(scene, middle.issue(), middle.certificate)


def with_its_intermediate_twice(scene, root):
    middle = Authority(root.path.parent / "middle", "Issuing", issuer=root)
    show(scene, middle.issue(), middle.certificate, middle.certificate)


def expired(scene, root):
    show(scene, root.issue(begins=-2 * DAY, ends=-DAY))


def not_yet_valid(scene, root):
    show(scene, root.issue(begins=DAY, ends=2 * DAY))


def signed_by_itself(scene, root):
    show(scene, self_signed(root.path.parent / "own.crt", "leaf"))


def for_another_host(scene, root):
    show(scene, root.issue(sans="DNS:db.example"))


def expired_and_for_another_host(scene, root):
    show(scene, root.issue(sans="DNS:db.example", begins=-2 * DAY, ends=-DAY))


def without_its_intermediate(scene, root):
    show(scene, Authority(root.path.parent / "middle", "Issuing", issuer=root).issue())


def of_an_unknown_authority(scene, root):
    show(scene, Authority(root.path.parent / "foreign", "Foreign").issue())


def of_an_old_version_of_tls(scene, root):
    show(scene, root.issue())
    scene.alter_system(ssl_max_protocol_version="TLSv1.2")
    return {"ssl_min_protocol_version": "TLSv1.3"}


def of_a_server_that_asks_for_ours(scene, root):
    show(scene, root.issue())
    scene.role("monitor")
    scene.box.hba("hostssl all monitor 127.0.0.1/32 trust clientcert=verify-ca")
    return {"role": "monitor"}


UNVERIFIABLE = ("tls", "tls_verify", "")
UNKNOWN = "unable to get local issuer certificate"


@pytest.mark.parametrize("arrange, error, matches, positions, login", [
    (in_order, "", 1, ["leaf", "root"], None),
    (with_intermediate, "", 1, ["intermediate", "leaf", "root"], None),
    (with_its_intermediate_twice, "", 1, ["intermediate", "leaf", "root"], None),
    (expired, "certificate has expired", 1, ["leaf", "root"], UNVERIFIABLE),
    (not_yet_valid, "certificate is not yet valid", 1, ["leaf", "root"], UNVERIFIABLE),
    (signed_by_itself, "self-signed certificate", 1, ["leaf"], UNVERIFIABLE),
    (for_another_host, "", 0, ["leaf", "root"], ("tls", "tls_hostname", "")),
    (expired_and_for_another_host, "certificate has expired", 0, ["leaf", "root"], UNVERIFIABLE),
    (without_its_intermediate, UNKNOWN, 1, ["leaf"], UNVERIFIABLE),
    (of_an_unknown_authority, UNKNOWN, 1, ["leaf"], UNVERIFIABLE),
    (of_an_old_version_of_tls, "", 1, ["leaf", "root"], ("tls", "tls", "")),
    (of_a_server_that_asks_for_ours, "", 1, ["leaf", "root"], ("startup", "authentication", "28000")),
], ids=lambda part: getattr(part, "__name__", ""))
def test_a_certificate_is_reported_and_judged_whatever_it_is_worth(
    scene, root, arrange, error, matches, positions, login
):
    dsn = scene.box.dsn(**{"sslrootcert": root.path, **(arrange(scene, root) or {})})
    try:
        exporter = scene.watch(dsn=dsn, probes=BOTH)
        until_looked(exporter, 2, "connect")
        families = until_looked(exporter)
        exporter.stop()
    finally:
        scene.box.hba()
    assert verdict(families) == (0 if error else 1, error)
    assert value(families, "hostname_match") == matches
    certificates = families.samples("pgconn_certificate_info", source="server")
    assert sorted(sample.labels["position"] for sample in certificates) == positions
    leaf = value(families, "not_after_timestamp_seconds", position="leaf")
    assert value(families, "chain_not_after_timestamp_seconds") <= leaf
    assert (leaf < time.time()) == ("expired" in error)
    assert value(families, "readable") == 1
    assert value(families, "changes_total") == 0
    assert families.value("pgconn_tls_offered") == 1
    # The handshake is no login: it succeeds whatever the login does.
    assert families.value("pgconn_probe_success", probe="certificate") == 1
    assert failures(families, "certificate") == {}
    assert failures(families).keys() == ({login} if login else set())
    # A problem is reported once, not at each check.
    reasons = [error] if error else []
    if not matches:
        reasons.append("not for the host 127.0.0.1")
    assert warnings(exporter) == ([", and ".join(reasons)] if reasons else [])


def test_what_was_negotiated_is_told(scene):
    scene.alter_system(ssl_max_protocol_version="TLSv1.2")
    exporter = scene.watch(probes=ALONE)
    families = until_looked(exporter)
    (negotiated,) = families.samples("pgconn_tls_handshake_info")
    assert negotiated.labels["version"] == "TLSv1.2"
    assert "GCM" in negotiated.labels["cipher"]
    phases = by("phase", families.samples("pgconn_probe_last_duration_seconds", probe="certificate"))
    assert phases.keys() == {"resolve", "tcp", "tls", "total"}
    assert phases["total"] >= phases["tcp"] + phases["tls"]


def test_a_server_with_tls_off_offers_none_and_shows_nothing(scene):
    scene.alter_system(ssl="off")
    families = until_looked(scene.watch(probes=ALONE))
    assert families.value("pgconn_tls_offered") == 0
    assert facts(families) == []
    assert families.samples("pgconn_certificate_readable") == []
    assert failures(families, "certificate").keys() == {("tls", "tls_unsupported", "")}


@pytest.mark.parametrize("transport", ["plain", "unix"])
def test_where_no_tls_is_wanted_none_is_missed(scene, transport):
    if transport == "plain":
        scene.alter_system(ssl="off")
    dsn = scene.box.dsn(**scene.transport(transport))
    exporter = scene.watch(dsn=dsn, probes=ALONE)
    families = until_looked(exporter, 2)
    assert families.value("pgconn_tls_offered") == 0
    assert families.value("pgconn_probe_success", probe="certificate") == 1
    assert failures(families, "certificate") == {}
    assert facts(families) == [] and families.samples("pgconn_certificate_readable") == []
    assert warnings(exporter) == []


def test_the_certificates_of_a_server_are_reported_even_if_our_own_sessions_are_plain(scene):
    exporter = scene.watch(dsn=scene.box.dsn(sslmode="disable", sslrootcert=None), probes=ALONE)
    families = until_looked(exporter)
    assert families.value("pgconn_tls_offered") == 1
    # No roots are configured, and the system does not know this authority.
    assert verdict(families)[0] == 0


def test_a_rotation_by_reload_is_counted_and_reported_once(scene, root):
    old, new = root.issue(ends=DAY), root.issue(ends=9 * DAY)
    show(scene, old)
    exporter = scene.watch(dsn=scene.box.dsn(sslrootcert=root.path), probes=BOTH)
    families = until_looked(exporter)
    assert value(families, "chain_not_after_timestamp_seconds") == old.not_after
    assert value(families, "changes_total") == 0

    show(scene, new)
    until(exporter, lambda families: value(families, "changes_total") == 1, "a rotation")
    families = until_looked(exporter, 2)
    assert value(families, "changes_total") == 1
    assert value(families, "not_after_timestamp_seconds", serial=new.serial) == new.not_after
    assert families.samples("pgconn_certificate_info", serial=old.serial) == []
    assert verdict(families) == (1, "")
    assert replacements(exporter) == [new.serial]
    # Sessions keep the certificate they began with: nothing drops.
    assert families.sum("pgconn_connection_drops_total") == 0


def test_what_was_seen_is_reported_while_the_server_is_down(scene):
    exporter = scene.watch(probes=ALONE)
    before = facts(until_looked(exporter))
    assert before
    shut_down(scene.box)
    try:
        families = until(exporter, lambda families: value(families, "readable") == 0, "an outage")
        families = until_looked(exporter, 2)
        assert facts(families) == before
        assert failures(families, "certificate").keys() <= {("tcp", "refused", ""), ("tls", "closed", ""),
                                                            ("tcp", "reset", ""), ("tls", "reset", "")}
    finally:
        back_up(scene)
    families = until(exporter, lambda families: value(families, "readable") == 1, "the server")
    assert facts(families) == before
    assert replacements(exporter) == [] and warnings(exporter) == []


@pytest.mark.newest_only
def test_a_certificate_expires_even_while_the_server_is_down(scene, root):
    show(scene, root.issue(ends=30))
    exporter = scene.watch(dsn=scene.box.dsn(sslrootcert=root.path), probes=ALONE)
    until(exporter, lambda families: families.samples("pgconn_certificate_verified", error=""), "facts")
    shut_down(scene.box)
    try:
        families = until(
            exporter,
            lambda families: verdict(families) == (0, "certificate has expired"),
            "the end of a certificate", timeout=60,
        )
        assert value(families, "readable") == 0
        until_warned(exporter, "certificate has expired")
    finally:
        back_up(scene)


def test_other_roots_are_used_from_the_next_check_on(scene, root, tmp_path):
    show(scene, root.issue())
    roots = tmp_path / "roots.crt"
    roots.write_text(Authority(tmp_path / "foreign", "Foreign").path.read_text())
    exporter = scene.watch(probes={"certificate": {**PACE, "roots": str(roots)}})
    assert verdict(until_looked(exporter)) == (0, UNKNOWN)

    beside = tmp_path / "roots.new"
    beside.write_text(root.path.read_text())
    beside.rename(roots)
    until(exporter, lambda families: verdict(families) == (1, ""), "trust")
    until_looked(exporter, 2)
    assert warnings(exporter) == [UNKNOWN]
    assert len(logfmt.records(exporter.log_lines, "certificates are in order again")) == 1

    roots.unlink()
    families = until(exporter, lambda families: verdict(families)[0] == 0, "distrust")
    assert "roots" in verdict(families)[1]
    until_warned(exporter, UNKNOWN, f"{verdict(families)[1]} (cannot read {roots}: No such file or directory)")


def test_direct_tls_is_for_postgresql_17_and_later(scene):
    exporter = scene.watch(probes={"certificate": {**PACE, "direct_tls": True}})
    families = until_looked(exporter)
    if scene.box.version >= 17:
        assert verdict(families) == (1, "")
        assert failures(families, "certificate") == {}
    else:
        assert families.samples("pgconn_certificate_verified") == []
        assert value(families, "readable") == 0
        assert failures(families, "certificate").keys() == {("tls", "closed", "")}


def test_a_handshake_is_no_session_and_no_error_in_the_server_s_log(scene):
    exporter = scene.watch(probes=ALONE)
    until_looked(exporter)
    before = {text: scene.box.log_count(text) for text in
              ("connection received", "connection authorized", "FATAL", "could not", "unexpected")}
    families = until_looked(exporter, 3)
    more = {text: scene.box.log_count(text) - count for text, count in before.items()}
    assert more.pop("connection received") >= 3
    assert set(more.values()) == {0}, more
    assert families.value("pgconn_exporter_connections", purpose="certificate") in (0, 1)
