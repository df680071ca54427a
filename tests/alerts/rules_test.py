"""The rules are accepted by old and new Prometheus, each alert is proven, and our own lint holds."""

import re
import shutil

import pytest

from tests.alerts import rule_lint, rulebook
from tests.support.packages import unpacked
from tests.support.process import Unavailable
from tests.support.prometheus import promtool

ALERTS = rulebook.ROOT / "alerts"
SCENARIOS = rulebook.ROOT / "tests/alerts/promtool"
FILES = sorted(ALERTS.glob("*.rules.yml"))
TESTS = sorted(SCENARIOS.glob("*.test.yml"))


@pytest.fixture(scope="session", params=["native", "sid"])
def suite(request):
    """The distribution's Prometheus, and the newest that Debian has."""
    try:
        unpacked(request.param, "prometheus")
    except Unavailable as reason:
        pytest.skip(str(reason))
    return request.param


@pytest.fixture(scope="session")
def catalogue():
    return rulebook.read_catalogue(rulebook.ROOT / "docs/metrics.md")


@pytest.fixture(scope="session")
def sources():
    folders = ("collectors", "exporter", "postgres", "probes", "sources")
    return "\n".join(path.read_text() for folder in folders
                     for path in sorted((rulebook.ROOT / folder).rglob("*")) if path.suffix in (".cc", ".h"))


def complaints_of(folder, catalogue, sources):
    """All complaints about the rules of a copy of this tree's alerts and their tests."""
    rules = rulebook.read_rules(folder / "alerts")
    scenarios = rulebook.read_scenarios(folder / "tests/alerts/promtool")
    return [
        *rule_lint.names(rules),
        *rule_lint.annotations(rules),
        *rule_lint.values(rules),
        *rule_lint.metrics(rules, catalogue),
        *rule_lint.aggregation(rules),
        *rule_lint.ranges(rules),
        *rule_lint.matcher_values(rules, sources),
        *rule_lint.settings(rules),
        *rule_lint.scenario_series(scenarios, rules, catalogue),
        *rule_lint.phases(rules, scenarios),
        *rule_lint.template_labels(rules, scenarios),
        *rule_lint.runbooks(rules, folder / "alerts/runbooks"),
    ]


def test_promtool_accepts_every_rule_file_without_a_complaint(suite):
    status, output = promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, FILES), suite=suite)
    assert status == 0, output


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_each_alert_is_silent_below_its_threshold_fires_above_and_resolves(suite, path):
    status, output = promtool("test", "rules", str(path), suite=suite)
    assert status == 0, output


def test_our_own_lint_has_nothing_to_say(catalogue, sources):
    assert complaints_of(rulebook.ROOT, catalogue, sources) == []


def test_each_alert_leads_to_a_dashboard_that_exists():
    assert not list(rule_lint.dashboards(rulebook.read_rules(ALERTS), rulebook.ROOT / "dashboards/json"))


def test_the_guide_names_every_file():
    guide = (ALERTS / "README.md").read_text()
    assert [path.name for path in sorted(ALERTS.glob("*.yml")) if f"`{path.name}`" not in guide] == []


@pytest.fixture
def copy(tmp_path):
    """A copy of the rules and their tests, to be broken."""
    shutil.copytree(ALERTS, tmp_path / "alerts")
    shutil.copytree(SCENARIOS, tmp_path / "tests/alerts/promtool")

    def edit(file, before, after):
        path = tmp_path / file
        text = path.read_text()
        assert before in text, f"{file} no longer has {before!r}"
        path.write_text(text.replace(before, after))
        return tmp_path

    return edit


# (file, text, what an editor makes of it, the name that must be reported, a word of the complaint)
WRONG_EDITS = {
    "a metric that nobody has": (
        "capacity.rules.yml", "pgconn_role_connection_limit >=", "pgconn_role_limit >=",
        "PgConnRoleLimitNear", "no metric pgconn_role_limit"),
    "aggregation by": (
        "tls.rules.yml", "sum without (cipher)", "sum by (instance, version)", "PgConnTlsProtocolOld", "`by`"),
    "aggregation of all": (
        "findings.rules.yml", "max without (severity) (", "max(", "PgConnTimeoutMissing", "loses all labels"),
    "a range shorter than four scrapes": (
        "drops.rules.yml", '{scope="all"}[5m]', '{scope="all"}[2m]', "PgConnAllDropped", "four scrapes"),
    "a value the exporter never says": (
        "recording.rules.yml", '{kind="crash"}', '{kind="crashed"}', "pgconn:server_crash:seen5m", 'kind="crashed"'),
    "a template label that does not survive": (
        "findings.rules.yml", "$labels.subject", "$labels.role", "PgConnTimeoutMissing", "label role"),
    "a raw value": (
        "transactions.rules.yml", "$value | humanizeDuration }}", "$value }}", "PgConnIdleInTransactionOld", "raw"),
    "the wrong humanize": (
        "capacity.rules.yml", "humanizePercentage", "humanize", "PgConnSlotsNearlyFull", "humanizePercentage"),
    "a value in a label": (
        "tls.rules.yml", "labels: {severity: warning}", 'labels: {severity: warning, left: "{{ $value }}"}',
        "PgConnCrlStale", "label left"),
    "no severity": (
        "availability.rules.yml", "labels: {severity: critical}", "labels: {}", "PgConnServerDown", "severity"),
    "another alert's runbook": (
        "tls.rules.yml", "/PgConnCrlStale", "/PgConnCertificateExpiry", "PgConnCrlStale", "runbook_url"),
    "a dashboard that is not there": (
        "tls.rules.yml", "/d/pgconn-tls", "/d/pgconn-certificates", "PgConnCrlStale", "dashboard_url"),
    "an alert renamed": (
        "exporter.rules.yml", "PgConnReloadFailed", "PgConnReloadRefused", "PgConnReloadRefused", "no runbook"),
    "an alert without tests": (
        "exporter.rules.yml", "alert: PgConnReloadFailed", "alert: PgConnReloadBad", "PgConnReloadBad",
        "promtool test"),
    "a setting that nothing uses": (
        "tls.rules.yml", "pgconn:threshold:plaintext_remote_sessions", "0",
        "pgconn:threshold:plaintext_remote_sessions", "no rule uses it"),
    "one severity's setting that nothing uses": (
        "capacity.rules.yml", 'slots_used_ratio{severity="critical"}', 'slots_used_ratio{severity="warning"}',
        "pgconn:threshold:slots_used_ratio", "severity=critical"),
}


@pytest.mark.parametrize("edit", WRONG_EDITS.values(), ids=WRONG_EDITS.keys())
def test_the_lint_names_the_rule_that_was_edited_wrongly(copy, catalogue, sources, edit):
    file, before, after, name, words = edit
    folder = copy(f"alerts/{file}", before, after)
    found = [complaint for complaint in complaints_of(folder, catalogue, sources)
             if complaint.startswith(name) and words in complaint]
    assert found, complaints_of(folder, catalogue, sources)


def test_the_lint_names_the_test_whose_series_the_exporter_does_not_have(copy, catalogue, sources):
    folder = copy("tests/alerts/promtool/findings.test.yml", ',subject="role web"', "")
    assert [line for line in complaints_of(folder, catalogue, sources)
            if line.startswith("findings.test.yml: a timeout is not set") and "subject" in line]


def test_promtool_names_the_alert_whose_expression_cannot_be_read(copy):
    folder = copy("alerts/availability.rules.yml", "expr: pgconn_up == 0", "expr: pgconn_up = 0")
    status, output = promtool("check", "rules", str(folder / "alerts/availability.rules.yml"))
    assert status != 0 and "PgConnServerDown" in output


@pytest.mark.parametrize("file, before, after, test, name", [
    ("settings.rules.yml", "expr: 0.8\n", "expr: 0.9\n", "limits", "PgConnSlotsNearlyFull"),
    ("tls.rules.yml", "for: 10m", "for: 20m", "tls", "PgConnPlaintextRemote"),
    ("recording.rules.yml", "unless pgconn_connection_drops_total offset 15m",
     "and pgconn_connection_drops_total offset 15m", "drops", "PgConnDropRateHigh"),
    ("drops.rules.yml", "unless ignoring (database, reason) pgconn:server_restart:age30m", "", "sessions_ended",
     "PgConnSessionsKilledHigh"),
    ("exporter.rules.yml", "and on () pgconn:links", "", "watchdog_without_settings", "PgConnWatchdog"),
], ids=["threshold", "duration", "first drop", "restart", "watchdog"])
def test_promtool_names_the_alert_that_behaves_differently(copy, file, before, after, test, name):
    folder = copy(f"alerts/{file}", before, after)
    status, output = promtool("test", "rules", str(folder / f"tests/alerts/promtool/{test}.test.yml"))
    assert status != 0 and re.search(rf"alertname:\s*{name}", output), output
