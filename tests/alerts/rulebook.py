"""The rules, their promtool tests and what the exporter declares, read for the lint."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]

# Labels that a series of a target has beside its own: Prometheus's, the exporter's, and two as a user
# would configure them.
OF_SCRAPE = {"job", "instance"}
OF_TARGET = OF_SCRAPE | {"target", "cluster", "env"}


@dataclass(frozen=True)
class Rule:
    """One rule. Several alerts may share a name; `title` tells them apart."""

    file: str
    name: str
    expr: str
    is_alert: bool
    labels: dict = field(default_factory=dict, hash=False)
    annotations: dict = field(default_factory=dict, hash=False)

    @property
    def title(self):
        told = ", ".join(f"{name}={value}" for name, value in self.labels.items() if value)
        return f"{self.name}{{{told}}}" if told else self.name


@dataclass(frozen=True)
class Check:
    """What a promtool test expects of an alert at a time."""

    alert: str
    at: int  # seconds
    expected: list = field(hash=False)  # label sets


def seconds(duration):
    """A duration as Prometheus writes it."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


def _yaml(path):
    return yaml.load(path.read_text(), yaml.CSafeLoader)  # in C: ten times as fast as safe_load


def read_rules(folder):
    rules = []
    for path in sorted(Path(folder).glob("*.rules.yml")):
        for group in _yaml(path)["groups"]:
            for rule in group["rules"]:
                rules.append(Rule(
                    file=path.name, name=rule.get("alert") or rule["record"], expr=str(rule["expr"]),
                    is_alert="alert" in rule, labels=rule.get("labels", {}),
                    annotations=rule.get("annotations", {}),
                ))
    return rules


@dataclass(frozen=True)
class Scenario:
    """One test of a promtool file."""

    name: str
    series: list = field(hash=False)  # (metric, set of label names)
    checks: list = field(hash=False)


def read_scenarios(folder):
    scenarios = []
    for path in sorted(Path(folder).glob("*.test.yml")):
        for test in _yaml(path)["tests"]:
            series = []
            for given in test.get("input_series", []):
                metric, _, labels = given["series"].partition("{")
                series.append((metric, set(re.findall(r'(\w+)="', labels))))
            checks = [
                Check(check["alertname"], seconds(str(check["eval_time"])),
                      [alert["exp_labels"] for alert in check.get("exp_alerts", [])])
                for check in test["alert_rule_test"]
            ]
            scenarios.append(Scenario(f"{path.name}: {test['name']}", series, checks))
    return scenarios


def read_catalogue(path):
    """Metric → its own labels, from docs/metrics.md; a histogram as the series that it exposes."""
    metrics = {}
    row = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \|")
    for line in Path(path).read_text().splitlines():
        if match := row.match(line):
            name, kind, labels = match.group(1), match.group(2), set(re.findall(r"`(\w+)`", match.group(3)))
            if kind == "histogram":
                metrics[name + "_bucket"] = labels | {"le"}
                metrics[name + "_sum"] = metrics[name + "_count"] = labels
            else:
                metrics[name] = labels
    return metrics


_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_GROUPING = re.compile(r"\b(?:on|ignoring|without|by|group_left|group_right)\s*\([^)]*\)")
_WORDS = {"and", "or", "unless", "bool", "offset", "on", "ignoring", "without", "by", "group_left", "group_right"}


def without_strings(promql):
    return _STRING.sub('""', promql)


def metrics_of(promql):
    """The names of metrics in an expression: what is left when everything else that has a name is removed."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", without_strings(promql))
    bare = re.sub(r"\boffset\s+\w+", " ", bare)
    bare = _GROUPING.sub(" ", bare)
    names = re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])", bare)
    return {name for name in names if name not in _WORDS}


def matchers_of(promql):
    """(label, operator, value) of each matcher in an expression."""
    return re.findall(r"""(\w+)\s*(=~|!~|!=|=)\s*["']([^"']*)["']""", promql)


def queries_of(template):
    return re.findall(r'query\s+"((?:[^"\\]|\\.)*)"', template)


def labels_used_by(template):
    return set(re.findall(r"\$labels\.(\w+)", template))
