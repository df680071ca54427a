"""From metric to pager: a real Prometheus with the rules of alerts/, a real Alertmanager with the example's
routes and inhibitions, and a webhook instead of people."""

import contextlib
import re
import tempfile
from pathlib import Path

import yaml

from tests.support.alertmanager import Alertmanager, Webhook, sent_to
from tests.support.process import REPOSITORY
from tests.support.prometheus import Prometheus

ALERTS = Path(REPOSITORY, "alerts")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+)(ms|[smhdw])")
_IN_PROMQL = re.compile(r"(?<=\[)[^\]]+|(?<=offset )\S+")
_AGE = re.compile(r"(time\(\) - [^<\n]+ < )(\d+)")


def faster(duration, factor):
    """A duration as Prometheus writes it, `factor` times shorter: faster("5m", 60) is "5000ms"."""

    def shorter(match):
        return f"{max(1, round(int(match[1]) * _UNITS[match[2]] * 1000 / factor))}ms"

    return _DURATION.sub(shorter, duration)


def compressed(rules, factor):
    """Rules (as read from YAML) whose waiting times, ranges and ages are `factor` times shorter.

    With scrapes `factor` times more often they decide as in real time. Other thresholds stay.
    """
    for group in rules["groups"]:
        if "interval" in group:
            group["interval"] = faster(group["interval"], factor)
        for rule in group["rules"]:
            hurried = _IN_PROMQL.sub(lambda match: faster(match[0], factor), str(rule["expr"]))
            rule["expr"] = _AGE.sub(lambda match: f"{match[1]}{int(match[2]) / factor:g}", hurried)
            for key in {"for", "keep_firing_for"} & rule.keys():
                rule[key] = faster(rule[key], factor)
    return rules


class Pager:
    """Watches one exporter. A context manager.

    `suite` is the release whose Prometheus and Alertmanager these are; their ports are free ones unless given.
    `factor` is how many times faster than in real time the rules decide. `on_notice` is called with each Notice.
    """

    def __init__(self, exporter, suite="native", factor=60, interval="1s", ports=(None, None),
                 on_notice=lambda notice: None):
        self._exporter = exporter
        self._suite = suite
        self._factor = factor
        self._interval = interval
        self._ports = ports
        self._on_notice = on_notice
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with self._stack:
            self.webhook = self._stack.enter_context(Webhook(self._on_notice))
            example = yaml.safe_load((ALERTS / "alertmanager.example.yml").read_text())
            prometheus_port, alertmanager_port = self._ports
            self.alertmanager = self._stack.enter_context(Alertmanager(
                sent_to(example, self.webhook.port), alertmanager_port, self._suite))
            self.prometheus = self._stack.enter_context(Prometheus(
                {"pgconn": self._exporter.port}, self._interval, prometheus_port, self._write_rules(),
                [self.alertmanager.port], self._suite, faster("1m", self._factor)))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *exception):
        try:
            if exception[0] is None:
                assert not self.prometheus.broken_rules()
        finally:
            self._stack.close()

    def _write_rules(self):
        directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rules-")))
        paths = []
        for source in sorted(ALERTS.glob("*.rules.yml")):
            paths.append(directory / source.name)
            rules = yaml.safe_load(source.read_text())
            paths[-1].write_text(yaml.safe_dump(compressed(rules, self._factor)))
        return paths

    def firing(self):
        """The alerts that are firing, by name."""
        return {alert["labels"]["alertname"] for alert in self.prometheus.alerts()
                if alert["state"] == "firing"}

    def paged(self):
        """The names of all alerts that were sent."""
        return {notice.name for notice in list(self.webhook.notices) if notice.status == "firing"}
