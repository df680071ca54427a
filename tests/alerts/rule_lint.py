"""What must hold for every rule. Each check yields complaints that begin with the rule's name."""

import json
import re

from tests.alerts import rulebook

DASHBOARDS = {"fleet", "drops", "transactions", "capacity", "probes", "tls", "settings", "exporter"}
SEVERITIES = {"critical", "warning", "info", "none"}
ANNOTATIONS = ("summary", "description", "runbook_url", "dashboard_url")
# Made by Prometheus, not by the exporter.
OF_PROMETHEUS = {"up": set(), "ALERTS": set()}
# Scrapes may be a minute apart; what happens between two of them must not be missed.
SHORTEST_RANGE = 4 * 60


def names(rules):
    for rule in rules:
        good = r"PgConn[A-Z][A-Za-z]+" if rule.is_alert else r"pgconn:[a-z_]+(:[a-z0-9_]+)?"
        if not re.fullmatch(good, rule.name):
            yield f"{rule.title}: the name does not match {good}"


def annotations(rules):
    for rule in filter(lambda rule: rule.is_alert, rules):
        for key in ANNOTATIONS:
            if not rule.annotations.get(key):
                yield f"{rule.title}: no annotation {key}"
        for key in rule.annotations.keys() - set(ANNOTATIONS):
            yield f"{rule.title}: unknown annotation {key}"
        if rule.labels.get("severity") not in SEVERITIES:
            yield f"{rule.title}: severity is none of {', '.join(sorted(SEVERITIES))}"
        if not rule.annotations.get("runbook_url", "").endswith(f"/{rule.name}"):
            yield f"{rule.title}: runbook_url does not end with /{rule.name}"
        dashboard = re.search(r"/d/pgconn-(\w+)", rule.annotations.get("dashboard_url", ""))
        if not dashboard or dashboard.group(1) not in DASHBOARDS:
            yield f"{rule.title}: dashboard_url names none of the dashboards"


def values(rules):
    """Values are for people to read, and a label that changes makes a new alert each time."""
    for rule in rules:
        for key, template in rule.annotations.items():
            if re.search(r'(?<!printf "%.0f" )\$value\s*\}\}', template):
                yield f"{rule.title}: {key} shows $value raw, humanize it"
            if re.search(r"humanize[\w]*[^}]*\$value", template):
                yield f"{rule.title}: {key}: write $value | humanize…"
        for key, template in rule.labels.items():
            if "{{" in str(template):
                yield f"{rule.title}: label {key} is a template"
        expected = None
        told = " ".join(rule.annotations.values())
        if rule.is_alert and "$value" in told:
            first = re.search(r"pgconn[\w:]*", rule.expr).group()
            expected = "humanizeDuration" if "seconds" in first else "humanizePercentage" if "ratio" in first else None
        if expected and expected not in told:
            yield f"{rule.title}: {first} is not told with {expected}"


def metrics(rules, catalogue):
    known = catalogue.keys() | OF_PROMETHEUS.keys() | {rule.name for rule in rules if not rule.is_alert}
    for rule in rules:
        queries = [query for text in rule.annotations.values() for query in rulebook.queries_of(text)]
        for promql in [rule.expr, *queries]:
            for name in sorted(rulebook.metrics_of(promql) - known):
                yield f"{rule.title}: no metric {name} in docs/metrics.md, and no recording rule of that name"


def aggregation(rules):
    for rule in rules:
        if re.search(r"\bby\s*\(", rule.expr):
            yield f"{rule.title}: aggregates `by`, which loses the users' own labels; write `without`"
        for aggregator in re.findall(r"\b(sum|min|max|avg|count|group|topk)\s*\(", rule.expr):
            yield f"{rule.title}: {aggregator} without `without` loses all labels"


def ranges(rules):
    for rule in rules:
        for window in re.findall(r"\[([^\]:]+)", rulebook.without_strings(rule.expr)):
            if rulebook.seconds(window) < SHORTEST_RANGE:
                yield f"{rule.title}: [{window}] spans less than four scrapes a minute apart"


def matcher_values(rules, sources):
    """A rule on a value that the exporter never reports never fires. `sources`: all of its code."""
    for rule in rules:
        for label, operator, value in rulebook.matchers_of(rule.expr):
            if label in ("severity", "window", "job", "version", "error", "user", "sqlstate", "application",
                         "alertname", "alertstate"):
                continue  # of our own settings, of Prometheus, or of no fixed set
            for word in value.split("|") if "~" in operator else [value]:
                plain = re.fullmatch(r"[\w ]+", word)
                if plain and f'"{word}"' not in sources:
                    yield f"{rule.title}: the exporter never says {label}=\"{word}\""


def settings(rules):
    """Each setting is used; otherwise an operator would turn a knob that is connected to nothing."""
    expressions = [rule.expr for rule in rules] + [text for rule in rules for text in rule.annotations.values()]
    for rule in (rule for rule in rules if rule.file == "settings.rules.yml"):
        users = [text for text in expressions if rule.name in rulebook.metrics_of(text) or f'"{rule.name}' in text]
        if not users:
            yield f"{rule.title}: no rule uses it"
        for label, value in rule.labels.items():
            chosen = re.compile(rf"{rule.name}\{{[^}}]*\b{label}=\"{re.escape(str(value))}\"")
            joined = re.compile(rf"on \({label}\) group_left \(\) {rule.name}\b")
            read = f'label "{label}"'
            if not any(chosen.search(text) or read in text or
                       (joined.search(text) and f'{label}="{value}"' in text) for text in users):
                yield f"{rule.title}: no rule uses {label}={value}"


def scenario_series(scenarios, rules, catalogue):
    """A test with labels that the exporter does not have proves nothing."""
    recorded = {rule.name for rule in rules if not rule.is_alert}
    for scenario in scenarios:
        for metric, labels in scenario.series:
            if metric in recorded or metric in OF_PROMETHEUS:
                continue
            if metric not in catalogue:
                yield f"{scenario.name}: no metric {metric} in docs/metrics.md"
                continue
            base = rulebook.OF_TARGET if "target" in labels else rulebook.OF_SCRAPE
            if labels != catalogue[metric] | base:
                odd = ", ".join(sorted(labels ^ (catalogue[metric] | base)))
                yield f"{scenario.name}: {metric} has not the labels of the exporter, see {odd}"


def _fits(rule, labels):
    return all(str(labels.get(name)) == str(value) for name, value in rule.labels.items())


def phases(rules, scenarios):
    """Silent, firing, silent again, each proven for each alert; the watchdog is never silent."""
    for rule in (rule for rule in rules if rule.is_alert and rule.name != "PgConnWatchdog"):
        for scenario in scenarios:
            checks = sorted((check for check in scenario.checks if check.alert == rule.name), key=lambda c: c.at)
            fired = [any(_fits(rule, labels) for labels in check.expected) for check in checks]
            if True in fired[1:-1] and not fired[0] and not fired[-1]:
                break
        else:
            yield f"{rule.title}: no promtool test sees it silent, firing and silent again"


def template_labels(rules, scenarios):
    """promtool proves the labels of an expected alert, so one that is in none does not survive."""
    for rule in (rule for rule in rules if rule.is_alert):
        survive = set()
        for check in (check for scenario in scenarios for check in scenario.checks if check.alert == rule.name):
            survive.update(*(labels.keys() for labels in check.expected if _fits(rule, labels)))
        used = set().union(*(rulebook.labels_used_by(text) for text in rule.annotations.values()))
        guarded = "build_info" in rule.annotations.get("runbook_url", "")
        for label in sorted(used - survive - ({"instance"} if guarded else set())):
            yield f"{rule.title}: a template uses the label {label}, which the alert has in no promtool test"
        if "target" in survive:
            for label in sorted(rulebook.OF_TARGET - survive):
                yield f"{rule.title}: the label {label} does not survive in its promtool tests"


def runbooks(rules, folder):
    alerts = {rule.name for rule in rules if rule.is_alert}
    written = {path.stem for path in folder.glob("*.md")}
    for name in sorted(alerts - written):
        yield f"{name}: no runbook alerts/runbooks/{name}.md"
    for name in sorted(written - alerts):
        yield f"{name}: a runbook, but no alert"


def dashboards(rules, folder):
    uids = {json.loads(path.read_text())["uid"] for path in folder.glob("*.json")}
    for rule in (rule for rule in rules if rule.is_alert):
        for uid in re.findall(r"/d/([\w-]+)", rule.annotations.get("dashboard_url", "")):
            if uid not in uids:
                yield f"{rule.title}: dashboard_url names {uid}, which no dashboard has as its uid"
