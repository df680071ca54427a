"""No setting and no wait of the rules can be changed a little without a promtool test that fails.

A setting is tried a tenth (a count: one) lower and higher, `for` and `keep_firing_for` at 0.6 and 1.5 times their
length. Ranges, offsets and ages within expressions are not tried.
"""

import pytest

from tests.alerts import mutants, rulebook
from tests.support.prometheus import Unavailable, unpacked

# Changes that no test could see, with the reason, as "title as the failing test tells it": "why".
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


def test_every_threshold_and_every_wait_is_pinned_by_a_promtool_test():
    left, _ = mutants.survivors(rulebook.ROOT / "alerts", rulebook.ROOT / "tests/alerts/promtool")
    assert left == list(UNSEEN)


def test_each_value_of_a_setting_and_each_wait_is_changed_to_both_sides():
    rules = mutants.read_located(rulebook.ROOT / "alerts")
    settings = [rule for rule in rules if rule.file == "settings.rules.yml" and rule.name != "pgconn:links"]
    waits = [key for rule in rules for key in mutants.DURATIONS if key in rule.rule]
    assert len(mutants.mutants_of(rules)) == 2 * (len(settings) + len(waits))
    counts = {rule.name.rpartition(":")[2] for rule in settings if "+ 1" in mutants.changes_of_setting(rule)[1]}
    assert counts == {
        "burn_failures", "connection_drops", "idle_only_incidents", "sessions_ended_count", "limit_watched_from",
        "blocked_by_idle_in_transaction", "plaintext_remote_sessions", "tls_protocol_old_sessions"}


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
