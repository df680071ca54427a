"""The rules with one number changed at a time, and which of these mutants a promtool test notices.

All mutants of a scenario run in one promtool, side by side under names of their own, so that the costly part of the
rules is computed once. Each is still judged alone: it is noticed if its own copy of an alert fires, or is silent,
contrary to what the scenario says. What the annotations say does not count.
"""

import json
import os
import re
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.alerts import rulebook
from tests.support.prometheus import promtool

DURATIONS = ("for", "keep_firing_for")
DURATION_FACTORS = (0.6, 1.5)
# A duration after `[` or `offset `, and what stands before it: the metric, its matchers, a range.
_RANGE = re.compile(r"(?:(?<=\[)|(?<=\boffset ))(?:\d+(?:ms|[smhdwy]))+")
_SELECTOR = re.compile(r"([\w:]+)(?:\{[^}]*\})?((?:\[\w+\])?(?: offset |\[))$")
# 0 for any range: no alert is above it.
_OF_NOTHING = re.compile(r"\b0 \* increase\($")
# In a setting, a count changes by one, the rest of a share by a tenth, anything else by a tenth.
_COUNT = re.compile(r"_(count|failures|drops|incidents|sessions|from|by_idle_in_transaction)$|:blocked_by_\w+$")
_SHARE = re.compile(r"^pgconn:objective:(availability|\w+_share)$")


@dataclass(frozen=True)
class Located:
    """A rule, as in the YAML without annotations, and where it is."""

    file: str
    group: str
    rule: dict = field(hash=False)

    @property
    def name(self):
        return self.rule.get("alert") or self.rule["record"]

    @property
    def is_alert(self):
        return "alert" in self.rule

    @property
    def title(self):
        told = ", ".join(f"{name}={value}" for name, value in self.rule.get("labels", {}).items())
        return f"{self.name}{{{told}}}" if told else self.name

    def but(self, suffix="", **changes):
        key = "alert" if self.is_alert else "record"
        return Located(self.file, self.group, {**self.rule, key: self.name + suffix, **changes})


@dataclass(frozen=True)
class Mutant:
    """One change: the copies of all rules that it touches, under names that end with its suffix."""

    title: str
    suffix: str
    copies: tuple = field(hash=False)

    @property
    def alerts(self):
        return [copy for copy in self.copies if copy.is_alert]

    def original(self, copy):
        return copy.name.removesuffix(self.suffix)


def read(path):
    # Every scalar as text: 0x10 is ten samples to promtool, and sixteen to YAML.
    return yaml.load(Path(path).read_text(), yaml.CBaseLoader)


def read_located(folder):
    return [Located(path.name, group["name"], {key: value for key, value in rule.items() if key != "annotations"})
            for path in sorted(Path(folder).glob("*.rules.yml"))
            for group in read(path)["groups"] for rule in group["rules"]]


def changes_of_setting(setting):
    """The other values that a setting is tried with, as PromQL."""
    value = setting.rule["expr"]
    if _COUNT.search(setting.name):
        return [f"{value} - 1", f"{value} + 1"]
    if _SHARE.search(setting.name):
        return [f"1 - (1 - {value}) * 0.9", f"1 - (1 - {value}) * 1.1"]
    return [f"({value}) * 0.9", f"({value}) * 1.1"]


def _renamed(rule, names, suffix):
    pattern = re.compile(rf"(?<![\w:])({'|'.join(map(re.escape, names))})(?![\w:])")
    return rule.but(suffix, expr=pattern.sub(lambda match: match[1] + suffix, rule.rule["expr"]))


def _uses(rule, names, setting):
    """Whether a rule depends on one of the names and, of a setting with labels, on this value of it."""
    chosen = all(f'{label}="{value}"' in rule.rule["expr"] for label, value in setting.rule.get("labels", {}).items())
    return rulebook.metrics_of(rule.rule["expr"]) & names and (chosen or not rule.is_alert)


def _copies(rules, changed, expr, suffix):
    """A rule with another expression, and all that depend on it."""
    if changed.is_alert:
        return [changed.but(suffix, expr=expr)]
    copies = [rule.but(suffix, expr=expr if rule is changed else rule.rule["expr"])
              for rule in rules if rule.name == changed.name]
    names, grown = {changed.name}, True
    while grown:
        touched = [rule for rule in rules if rule.name not in names and _uses(rule, names, changed)]
        recorded = {rule.name for rule in touched if not rule.is_alert}
        names, grown = names | recorded, bool(recorded)
    return copies + [_renamed(rule, names, suffix) for rule in rules
                     if rule.name != changed.name and _uses(rule, names, changed)]


def _scaled(duration, factor):
    return f"{round(rulebook.seconds(duration) * factor * 1000)}ms"


def changes_of_ranges(expr):
    """(what it is called, the expression) for one range or offset at a time, shorter and longer."""
    seen = Counter()
    for found in _RANGE.finditer(expr):
        before = _SELECTOR.search(expr[:found.start()])
        if _OF_NOTHING.search(expr[:before.start()]):
            continue
        called = f"{before[1]}{before[2]}{found[0]}{']' if before[2].endswith('[') else ''}"
        seen[called] += 1
        told = called if seen[called] == 1 else f"{called} ({seen[called]})"
        for factor in DURATION_FACTORS:
            changed = expr[:found.start()] + _scaled(found[0], factor) + expr[found.end():]
            yield f"{told} * {factor}", changed


def mutants_of(rules):
    """Each setting, each wait of an alert, each range and offset in an expression, a little smaller and larger."""
    made = []

    def add(title, copies_for):
        suffix = f"__{len(made)}"
        made.append(Mutant(title, suffix, tuple(copies_for(suffix))))

    for rule in rules:
        if rule.file == "settings.rules.yml" and rule.name != "pgconn:links":
            for value in changes_of_setting(rule):
                add(f"{rule.title}: {value}", lambda suffix: _copies(rules, rule, value, suffix))
        for key in (key for key in DURATIONS if key in rule.rule):
            for factor in DURATION_FACTORS:
                changed = {key: _scaled(rule.rule[key], factor)}
                add(f"{rule.title}: {key} {rule.rule[key]} * {factor}", lambda suffix: [rule.but(suffix, **changed)])
        for told, expr in changes_of_ranges(rule.rule["expr"]):
            add(f"{rule.title}: {told}", lambda suffix: _copies(rules, rule, expr, suffix))
    return made


@dataclass(frozen=True)
class Scenario:
    """One test of a promtool file, and what the file says for all of them."""

    path: Path
    test: dict = field(hash=False)
    files: frozenset
    interval: str
    order: tuple

    @property
    def name(self):
        return f"{self.path.name}: {self.test['name']}"

    @property
    def alerts(self):
        return {check["alertname"] for check in self.test["alert_rule_test"]}

    @property
    def evaluations(self):
        last = max(rulebook.seconds(check["eval_time"]) for check in self.test["alert_rule_test"])
        return last / rulebook.seconds(self.interval)


def read_scenarios(folder):
    for path in sorted(Path(folder).glob("*.test.yml")):
        content = read(path)
        files = frozenset(Path(file).name for file in content["rule_files"])
        order = tuple(content.get("group_eval_order", ()))
        for test in content["tests"]:
            yield Scenario(path, test, files, content["evaluation_interval"], order)


def _fits(rule, labels):
    return rule.rule["labels"].items() <= labels.items()


def _checks(scenario, rules, suffix):
    """What the scenario expects of these alerts, whose names end with the suffix."""
    for check in scenario.test["alert_rule_test"]:
        concerned = [rule for rule in rules if rule.name == check["alertname"] + suffix]
        expected = [{"exp_labels": alert["exp_labels"]} for alert in check.get("exp_alerts", [])
                    if any(_fits(rule, alert["exp_labels"]) for rule in concerned)]
        if concerned:
            yield {"eval_time": check["eval_time"], "alertname": check["alertname"] + suffix, "exp_alerts": expected}


def _needed(rules, wanted):
    """The wanted rules, and all that they are computed from."""
    kept, names = list(wanted), {rule.name for rule in wanted}
    for rule in kept:  # grows meanwhile
        sources = rulebook.metrics_of(rule.rule["expr"]) | set(re.findall(r'alertname="(\w+)"', rule.rule["expr"]))
        for source in (other for other in rules if other.name in sources - names):
            kept.append(source)
        names |= sources
    return kept


def _groups(rules, order):
    """The chosen rules as groups of a rule file, copies behind what they are copies of."""
    groups = {}
    for rule in rules:
        groups.setdefault(rule.group, []).append(rule.rule)
    return [{"name": name, "rules": groups[name]} for name in sorted(groups, key=[*order, *groups].index)]


def _promtool(scenario, rules, checks):
    """The names of alerts that promtool says are not as these checks expect."""
    groups = _groups(rules, scenario.order)
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        Path(directory, "rules.yml").write_text(json.dumps({"groups": groups}))
        test = Path(directory, "test.yml")
        test.write_text(json.dumps({
            "rule_files": ["rules.yml"], "evaluation_interval": scenario.interval,
            "group_eval_order": [group["name"] for group in groups],
            "tests": [{**scenario.test, "alert_rule_test": checks}],
        }))
        status, output = promtool("test", "rules", str(test))
    failed = set(re.findall(r"alertname:\s*(\w+)", output))
    assert status == 0 or failed, f"{scenario.name}: {output}"
    return failed


def noticed_by(scenario, rules, mutants, where):
    """The mutants that this scenario notices by those of their alerts for which where(scenario, alert's name, copy).

    AssertionError if it finds fault with the rules as they are.
    """
    rules = [rule for rule in rules if rule.file in scenario.files]
    alerts = {mutant: [copy for copy in mutant.alerts if where(scenario, mutant.original(copy), copy)]
              for mutant in mutants if all(copy.file in scenario.files for copy in mutant.copies)}
    originals = [rule for rule in rules if rule.is_alert and any(
        mutant.original(copy) == rule.name and _fits(copy, rule.rule["labels"])
        for mutant, copies in alerts.items() for copy in copies)]
    if not originals:
        return set()
    checks = [*_checks(scenario, originals, ""),
              *(check for mutant, copies in alerts.items() for check in _checks(scenario, copies, mutant.suffix))]
    known = rules + [copy for mutant in alerts for copy in mutant.copies]
    needed = _needed(known, originals + [copy for copies in alerts.values() for copy in copies])
    failed = _promtool(scenario, [rule for rule in known if rule in needed], checks)
    faulty = failed & {rule.name for rule in originals}
    assert not faulty, f"{scenario.name} finds fault with the rules as they are: {faulty}"
    return {mutant for mutant in alerts if any(name.endswith(mutant.suffix) for name in failed)}


def _fires(scenario, name, copy):
    return any(_fits(copy, alert["exp_labels"]) for check in scenario.test["alert_rule_test"]
               if check["alertname"] == name for alert in check.get("exp_alerts", []))


def _is_checked(scenario, name, copy):
    return name in scenario.alerts


def survivors(rules_folder, tests_folder):
    """The titles of the mutants that no scenario notices, and the number of all.

    Scenarios in which an alert fires notice nearly all; only the rest is tried in those where it is silent. Short
    ones come first, and what they notice is not tried again.
    """
    rules = read_located(rules_folder)
    mutants = left = mutants_of(rules)
    scenarios = sorted(read_scenarios(tests_folder), key=lambda scenario: scenario.evaluations)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for where in (_fires, _is_checked):
            noticed = set()

            def judge(scenario):
                rest = [mutant for mutant in left if mutant not in noticed]
                noticed.update(noticed_by(scenario, rules, rest, where))

            list(pool.map(judge, scenarios))
            left = [mutant for mutant in left if mutant not in noticed]
    return [mutant.title for mutant in left], len(mutants)
