"""No setting, wait, range or offset of the rules can be changed a little without a promtool test that fails.

A setting is tried a tenth (a count: one) lower and higher, `for`, `keep_firing_for`, ranges and offsets at 0.6 and 1.5
times their length; those of a recording rule through the alerts that use it. Not tried are plain numbers within
expressions (`< 300`, `> 0`), and ranges in `0 * increase(…[1h])`: that is 0 for all of them, which no alert is above.
"""

import re

import pytest

from tests.alerts import mutants, rulebook
from tests.support.packages import unpacked
from tests.support.process import Unavailable

# Changes that no test could see, with the reason, as "title as the failing test shows it": "why".
UNSEEN = {}

SETTINGS = """
groups:
  - name: pgconn.settings
    rules:
      - {record: "pgconn:threshold:slots_used_ratio", expr: 0.8, labels: {severity: critical}}
      - {record: "pgconn:threshold:burn_failures", expr: 3}
      - {record: "pgconn:objective:availability", expr: 0.9}
"""
RULES = """
groups:
  - name: pgconn.sample
    rules:
      - record: pgconn:error_budget:ratio
        expr: 1 - pgconn:objective:availability
      - alert: PgConnSample
        expr: |
          sample_used > on () group_left () pgconn:threshold:slots_used_ratio{severity="critical"}
          and on () sample_failures >= on () pgconn:threshold:burn_failures
          and on () sample_failed_ratio > on () pgconn:error_budget:ratio
        for: 10m
        keep_firing_for: 10m
        labels: {severity: critical}
"""
TEST = """
rule_files: [settings.rules.yml, sample.rules.yml]
evaluation_interval: 1m
group_eval_order: [pgconn.settings, pgconn.sample]
tests:
  - name: sample
    interval: 1m
    input_series:
      - {series: sample_used, values: 0.5x30 0.85x30 0.5x40}
      - {series: sample_failures, values: 3x100}
      - {series: sample_failed_ratio, values: 0.105x100}
    alert_rule_test:
      - {eval_time: 20m, alertname: PgConnSample}
      - {eval_time: 41m, alertname: PgConnSample, exp_alerts: [exp_labels: {severity: critical}]}
      - {eval_time: 75m, alertname: PgConnSample}
"""
RANGE_RULES = """
groups:
  - name: pgconn.sample
    rules:
      - {record: "pgconn:sample_lost:increase10m", expr: "increase(sample_lost_total[10m])"}
      - {record: "pgconn:sample_lost:any", expr: "pgconn:sample_lost:increase10m > 0"}
      - {alert: PgConnSample, expr: "pgconn:sample_lost:any", labels: {severity: critical}}
"""
RANGE_TEST = """
rule_files: [sample.rules.yml]
evaluation_interval: 1m
tests:
  - name: sample
    interval: 1m
    input_series:
      - {series: sample_lost_total, values: 0x10 1x40}
    alert_rule_test:
      - {eval_time: 10m, alertname: PgConnSample}
      - {eval_time: 19m, alertname: PgConnSample, exp_alerts: [exp_labels: {severity: critical}]}
      - {eval_time: 21m, alertname: PgConnSample}
"""
NOT_MET_CLOSELY = [
    "PgConnSample{severity=critical}: for 10m * 0.6",
    "PgConnSample{severity=critical}: keep_firing_for 10m * 0.6",
    "pgconn:threshold:slots_used_ratio{severity=critical}: (0.8) * 0.9",
    "pgconn:threshold:burn_failures: 3 - 1",
    "pgconn:objective:availability: 1 - (1 - 0.9) * 0.9",
]


@pytest.fixture(autouse=True, scope="module")
def promtool_is_there():
    try:
        unpacked("native", "prometheus")
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def sample(tmp_path):
    """sample(test) writes the rules above and that promtool test, and gives their folder."""

    def write(test):
        (tmp_path / "settings.rules.yml").write_text(SETTINGS)
        (tmp_path / "sample.rules.yml").write_text(RULES)
        (tmp_path / "sample.test.yml").write_text(test)
        return tmp_path

    return write


def test_every_threshold_wait_and_range_is_pinned_by_a_promtool_test():
    left, _ = mutants.survivors(rulebook.ROOT / "alerts", rulebook.ROOT / "tests/alerts/promtool")
    assert left == list(UNSEEN)


def test_each_value_of_a_setting_each_wait_and_each_range_is_changed_to_both_sides():
    rules = mutants.read_located(rulebook.ROOT / "alerts")
    settings = [rule for rule in rules if rule.file == "settings.rules.yml" and rule.name != "pgconn:links"]
    waits = [key for rule in rules for key in mutants.DURATIONS if key in rule.rule]
    durations = [found for rule in rules for found in re.findall(r"\[\d+[mhd]|offset \d", rule.rule["expr"])]
    of_nothing = [found for rule in rules for found in re.findall(r"\b0 \* increase", rule.rule["expr"])]
    ranges = len(durations) - len(of_nothing)
    assert ranges > 40 and len(mutants.mutants_of(rules)) == 2 * (len(settings) + len(waits) + ranges)
    counts = {rule.name.rpartition(":")[2] for rule in settings if "+ 1" in mutants.changes_of_setting(rule)[1]}
    assert counts == {
        "burn_failures", "connection_drops", "idle_only_incidents", "sessions_ended_count", "limit_watched_from", "limit_refused_count",
        "blocked_by_idle_in_transaction", "plaintext_remote_sessions", "tls_protocol_old_sessions"}


def test_each_range_and_each_offset_is_changed_alone():
    changes = dict(mutants.changes_of_ranges('a{b="x"}[5m] unless a offset 1h or a offset 1h or 0 * increase(c[5m])'))
    assert list(changes) == [f"{told} * {factor}" for told in ("a[5m]", "a offset 1h", "a offset 1h (2)")
                             for factor in (0.6, 1.5)]
    assert changes["a[5m] * 0.6"].startswith('a{b="x"}[180000ms] unless a offset 1h or a offset 1h or')
    assert changes["a offset 1h (2) * 1.5"].startswith('a{b="x"}[5m] unless a offset 1h or a offset 5400000ms or')


@pytest.mark.parametrize("check, unnoticed", [("", []), ("19m", ["0.6"]), ("21m", ["1.5"])],
                         ids=["with all checks", "without that before its end", "without that after it"])
def test_a_range_of_a_recording_rule_is_judged_by_the_alert_that_needs_it(tmp_path, check, unnoticed):
    (tmp_path / "sample.rules.yml").write_text(RANGE_RULES)
    lines = [line for line in RANGE_TEST.splitlines() if not (check and f"eval_time: {check}" in line)]
    (tmp_path / "sample.test.yml").write_text("\n".join(lines))
    left, tried = mutants.survivors(tmp_path, tmp_path)
    told = "pgconn:sample_lost:increase10m: sample_lost_total[10m]"
    assert (left, tried) == ([f"{told} * {factor}" for factor in unnoticed], 2)


def test_numbers_that_a_test_does_not_come_near_are_named(sample):
    folder = sample(TEST)
    left, tried = mutants.survivors(folder, folder)
    assert (left, tried) == (NOT_MET_CLOSELY, 10)


def test_a_scenario_in_which_the_alert_is_silent_counts_too(sample):
    silent = TEST[TEST.index("  - name: sample"):].replace("0.5x30 0.85x30 0.5x40", "0.79x100")
    silent = silent[:silent.index("      - {eval_time: 41m")].replace("name: sample", "name: just below")
    folder = sample(TEST + silent)
    left, _ = mutants.survivors(folder, folder)
    assert left == [title for title in NOT_MET_CLOSELY if "slots_used_ratio" not in title]


def test_a_scenario_that_fails_with_the_rules_as_they_are_proves_nothing(sample):
    folder = sample(TEST.replace("eval_time: 41m", "eval_time: 35m"))
    with pytest.raises(AssertionError, match="finds fault with the rules as they are: {'PgConnSample'}"):
        mutants.survivors(folder, folder)
