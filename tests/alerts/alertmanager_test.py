"""The example for Alertmanager: accepted by old and new; alerts go to their receivers; which alerts suppress which."""

import json
import re
import urllib.request

import pytest
import yaml

from tests.alerts import rulebook
from tests.support.alertmanager import Alertmanager, amtool
from tests.support.packages import unpacked
from tests.support.process import Unavailable, eventually, http_get

EXAMPLE = rulebook.ROOT / "alerts/alertmanager.example.yml"
RECEIVER_OF = {"critical": "pages", "warning": "tickets", "info": "nobody", "none": "nobody"}
RULES = [rule for rule in rulebook.read_rules(rulebook.ROOT / "alerts") if rule.is_alert]


@pytest.fixture(scope="module", params=["native", "sid"])
def suite(request):
    """The distribution's Alertmanager, and the newest that Debian has."""
    try:
        unpacked(request.param, "prometheus-alertmanager")
    except Unavailable as reason:
        pytest.skip(str(reason))
    return request.param


def route(suite, **labels):
    """The receivers that amtool finds for an alert."""
    words = [f"{name}={value}" for name, value in labels.items()]
    status, output = amtool("config", "routes", "test", f"--config.file={EXAMPLE}", *words, suite=suite)
    assert status == 0, output
    return output.splitlines()[-1]


def test_amtool_accepts_the_example(suite):
    status, output = amtool("check-config", str(EXAMPLE), suite=suite)
    assert status == 0 and "5 inhibit rules" in output, output


@pytest.mark.parametrize("severity", RECEIVER_OF)
def test_an_alert_goes_where_its_severity_sends_it(suite, severity):
    assert route(suite, alertname="PgConnAnything", severity=severity, target="orders") == RECEIVER_OF[severity]


def test_the_example_knows_every_severity():
    assert {rule.labels["severity"] for rule in RULES} == set(RECEIVER_OF)


def test_the_watchdog_goes_to_the_dead_mans_switch(suite):
    assert route(suite, alertname="PgConnWatchdog", severity="none") == "dead-mans-switch"


def test_alerts_of_others_do_not_page_here(suite):
    assert route(suite, alertname="NodeDown", severity="critical") == "tickets"


def test_what_the_server_will_end_soon_does_not_wait_for_others():
    routes = yaml.safe_load(EXAMPLE.read_text())["route"]["routes"]
    [hurried] = [route for route in routes if 'alertname="PgConnIdleInTransactionNearTimeout"' in route["matchers"]]
    assert hurried["group_wait"] == "0s"


def test_pages_are_grouped_by_server_wait_15_seconds_and_repeat_after_4_hours():
    routes = yaml.safe_load(EXAMPLE.read_text())["route"]["routes"]
    [pages] = [route for route in routes if route["receiver"] == "pages"]
    assert (pages["group_by"], pages["group_wait"], pages["repeat_interval"]) == (["cluster", "target"], "15s", "4h")


def test_both_sides_of_each_inhibition_name_alerts_that_exist():
    names = {rule.name for rule in RULES}
    for inhibition in yaml.safe_load(EXAMPLE.read_text())["inhibit_rules"]:
        assert {"cluster", "target"} <= set(inhibition["equal"])
        for side in ("source_matchers", "target_matchers"):
            [matcher] = [matcher for matcher in inhibition[side] if matcher.startswith("alertname")]
            pattern = re.fullmatch(r'alertname=~?"(PgConn.+)"', matcher).group(1)
            for alternative in expand(pattern):
                assert any(re.fullmatch(alternative, name) for name in names), f"{matcher}: no alert {alternative}"


def expand(pattern):
    """PgConn(A|B)C as PgConnAC and PgConnBC."""
    match = re.fullmatch(r"([^(]*)\(([^)]*)\)(.*)", pattern)
    return [match[1] + word + match[3] for word in match[2].split("|")] if match else [pattern]


@pytest.fixture(scope="module")
def alertmanager(suite):
    configuration = yaml.safe_load(EXAMPLE.read_text())
    for receiver in configuration["receivers"]:
        receiver.pop("webhook_configs", None)
    with Alertmanager(configuration, suite=suite) as running:
        yield running


def alert(name, target, severity="critical", cluster="shop", **more):
    labels = {"alertname": name, "target": target, "severity": severity, "cluster": cluster, **more}
    return {key: value for key, value in labels.items() if value is not None}


def suppressed(alertmanager, alerts, expected):
    """Posts alerts that fire together and waits until exactly the expected ones, as (name, severity), are
    suppressed by another one; a label can be named too, as (name, severity, its value)."""
    request = urllib.request.Request(
        f"{alertmanager.url}/api/v2/alerts", json.dumps([{"labels": labels} for labels in alerts]).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    target = alerts[0]["target"]
    kept = None

    def as_expected():
        nonlocal kept
        known = [found for found in json.loads(http_get(alertmanager.port, "/api/v2/alerts").body)
                 if found["labels"]["target"] == target]
        processed = all(found["status"]["state"] != "unprocessed" for found in known)
        kept = {(found["labels"]["alertname"], found["labels"]["severity"], *told_apart(found["labels"]))
                for found in known if found["status"]["inhibitedBy"]}
        return len(known) == len(alerts) and processed and kept == expected

    try:
        eventually(as_expected, 30, "alerts processed")
    except TimeoutError:
        assert kept == expected
        raise


def told_apart(labels):
    return [labels[name] for name in ("role",) if name in labels]


def test_a_server_that_is_down_explains_drops_failures_and_slowness(alertmanager):
    consequences = ["DropRateHigh", "AllDropped", "IdleOnlyDrops", "ProbeBudgetBurn", "ConnectSlow"]
    alerts = [alert("PgConnServerDown", "down"), *(alert(f"PgConn{name}", "down") for name in consequences)]
    others = [alert("PgConnCrashRestart", "down"), alert("PgConnCertificateExpiry", "down")]
    suppressed(alertmanager, alerts + others, {(f"PgConn{name}", "critical") for name in consequences})


def test_an_old_idle_transaction_explains_that_it_is_unbounded_but_not_that_of_another_user(alertmanager):
    alerts = [alert("PgConnIdleInTransactionOld", "idle", "warning", role="a"),
              alert("PgConnIdleInTransactionUnbounded", "idle", "warning", role="a")]
    for one in alerts:
        one.update(user=one.pop("role"), database="shop")
    other = {**alerts[1], "user": "b", "role": "b"}
    suppressed(alertmanager, [*alerts, other], {("PgConnIdleInTransactionUnbounded", "warning")})


def test_an_oom_kill_explains_the_crash(alertmanager):
    suppressed(alertmanager, [alert("PgConnOomKill", "killed"), alert("PgConnCrashRestart", "killed"),
                              alert("PgConnAllDropped", "killed")], {("PgConnCrashRestart", "critical")})


@pytest.mark.parametrize("cause", ["PgConnAllDropped", "PgConnCrashRestart", "PgConnOomKill"])
def test_a_loss_of_all_explains_sessions_killed_or_abandoned_and_idle_drops(alertmanager, cause):
    consequences = ["PgConnSessionsKilledHigh", "PgConnSessionsAbandonedHigh", "PgConnIdleOnlyDrops"]
    alerts = [alert(cause, cause), alert("PgConnSlotsRefused", cause),
              *(alert(name, cause, "warning") for name in consequences)]
    suppressed(alertmanager, alerts, {(name, "warning") for name in consequences})


def test_of_two_severities_of_an_alert_the_higher_one_is_sent(alertmanager):
    alerts = [alert("PgConnSlotsNearlyFull", "two"), alert("PgConnSlotsNearlyFull", "two", "warning"),
              alert("PgConnRoleLimitNear", "two", "warning")]
    suppressed(alertmanager, alerts, {("PgConnSlotsNearlyFull", "warning")})


def test_the_higher_severity_of_one_role_says_nothing_about_another(alertmanager):
    alerts = [alert("PgConnRoleLimitNear", "roles", role="web"),
              alert("PgConnRoleLimitNear", "roles", "warning", role="web"),
              alert("PgConnRoleLimitNear", "roles", "warning", role="batch")]
    suppressed(alertmanager, alerts, {("PgConnRoleLimitNear", "warning", "web")})


def test_targets_without_a_cluster_are_treated_alike(alertmanager):
    alerts = [alert("PgConnServerDown", "alone", cluster=None), alert("PgConnAllDropped", "alone", cluster=None),
              alert("PgConnSlotsNearlyFull", "alone", cluster=None),
              alert("PgConnSlotsNearlyFull", "alone", "warning", cluster=None)]
    suppressed(alertmanager, alerts, {("PgConnAllDropped", "critical"), ("PgConnSlotsNearlyFull", "warning")})


def test_both_severities_of_an_alert_have_the_labels_by_which_they_are_compared():
    [equal] = [set(inhibition["equal"]) for inhibition in yaml.safe_load(EXAMPLE.read_text())["inhibit_rules"]
               if "alertname" in inhibition["equal"]]
    both = {rule.name for rule in RULES if rule.labels["severity"] == "critical"} & {
        rule.name for rule in RULES if rule.labels["severity"] == "warning"}
    scenarios = rulebook.read_scenarios(rulebook.ROOT / "tests/alerts/promtool")
    compared = {}
    for check in (check for scenario in scenarios for check in scenario.checks if check.alert in both):
        for labels in check.expected:
            compared.setdefault(check.alert, {}).setdefault(labels["severity"], set()).add(
                frozenset(labels.keys() & equal))
    assert compared.keys() == both
    for name, by_severity in compared.items():
        assert by_severity["critical"] == by_severity["warning"], name


def test_another_cluster_or_program_explains_nothing(alertmanager):
    alerts = [alert("PgConnServerDown", "far"), alert("PgConnAllDropped", "far", cluster="other"),
              alert("NodeDown", "far"), alert("NodeDown", "far", "warning")]
    suppressed(alertmanager, alerts, set())
