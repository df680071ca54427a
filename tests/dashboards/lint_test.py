"""The rules for dashboards: the committed ones follow them, and each rule finds what breaks it."""

import json

import pytest

from tests.dashboards import committed

T = 'job=~"$job", cluster=~"$cluster", target=~"$target"'
REFERENCE = """\
| metric | type | labels | meaning |
|---|---|---|---|
| `pgconn_up` | gauge | | One. |
| `pgconn_deadlocks_total` | counter | `database` | Two. |
"""


def _query(expr):
    """Replaces the query of a graph."""
    return lambda d: committed.panel(d, "Oldest session idle in transaction")["targets"][0].update(expr=expr)


def _panel(change):
    return lambda d: change(committed.panel(d, "Oldest session idle in transaction"))


def _variable(name, **changes):
    return lambda d: next(v for v in d["templating"]["list"] if v["name"] == name).update(changes)


def _overlap(d):
    one, other = list(committed.panels(d))[:2]
    other["gridPos"] = dict(one["gridPos"])


# What breaks a dashboard → the rule that must find it, and what it says.
BROKEN = {
    "wrapped for the API": ("file-shape", "is wrapped", lambda d: d.update(dashboard={})),
    "without a title": ("file-shape", "has no title", lambda d: d.pop("title")),
    "without panels": ("file-shape", "has no panels", lambda d: d["panels"].clear()),
    "under a foreign uid": ("file-uid", "abc", lambda d: d.update(uid="abc")),
    "with the id of a database": ("file-id", "has an id", lambda d: d.update(id=7)),
    "editable": ("file-editable", "must be false", lambda d: d.update(editable=True)),
    "of another schema": ("file-schema", "must be 39", lambda d: d.update(schemaVersion=42)),
    "with inputs": ("file-inputs", "file provisioning", lambda d: d.update(__inputs=[{"name": "DS"}])),
    "with a crosshair of its own": ("file-crosshair", "not shared", lambda d: d.update(graphTooltip=0)),
    "without the common tag": ("file-tag", "pgconn", lambda d: d.update(tags=["postgresql"])),
    "with links that forget the time": (
        "file-links", "keep time", lambda d: d["links"][0].update(keepTime=False)),
    "with links that forget variables": (
        "file-links", "keep time", lambda d: d["links"][0].update(includeVars=False)),
    "without the variable datasource": (
        "variable-datasource", "first variable", lambda d: d["templating"]["list"].pop(0)),
    "without the variable cluster": ("variable-list", "job, target", lambda d: d["templating"]["list"].pop(2)),
    "with a variable of another source": (
        "variable-datasource", "does not use", _variable("job", datasource={"type": "prometheus", "uid": "x"})),
    "with a variable that is read once": ("variable-refresh", "must refresh", _variable("target", refresh=1)),
    "with a variable for one target": ("variable-all", "must allow several", _variable("target", multi=False)),
    "with All that needs a cluster": ("variable-all", ".*", _variable("cluster", allValue=".+")),
    "with a variable of no label": ("variable-query", "x", _variable("job", query="query_result(x)")),
    "with an annotation of another source": (
        "annotation-datasource", "does not use", lambda d: d["annotations"]["list"][0].update(datasource=None)),
    "with an annotation of no metric": (
        "query-metric", "pgconn_restarted",
        lambda d: d["annotations"]["list"][0].update(expr=f"pgconn_restarted{{{T}}}")),
    "with two panels of one id": (
        "panel-id", "repeated", lambda d: d["panels"][2].update(id=d["panels"][1]["id"])),
    "with a panel without id": ("panel-id", "missing", _panel(lambda p: p.pop("id"))),
    "with a panel beyond the grid": ("panel-grid", "24 columns", _panel(lambda p: p["gridPos"].update(x=13))),
    "with panels that overlap": ("panel-grid", "overlaps", _overlap),
    "with a dead type of panel": ("panel-type", "graph", _panel(lambda p: p.update(type="graph"))),
    "with a panel without title": ("panel-title", "has no title", _panel(lambda p: p.update(title=""))),
    "with a panel without description": (
        "panel-description", "what to do", _panel(lambda p: p.update(description="Ages."))),
    "with a panel of another source": (
        "panel-datasource", "does not use", _panel(lambda p: p.update(datasource={"uid": "prometheus"}))),
    "with a query of another source": (
        "panel-datasource", "does not use", _panel(lambda p: p["targets"][0].pop("datasource"))),
    "with a panel without unit": (
        "panel-unit", "has no unit", _panel(lambda p: p["fieldConfig"]["defaults"].pop("unit"))),
    "with an unknown unit": (
        "panel-unit", "seconds", _panel(lambda p: p["fieldConfig"]["defaults"].update(unit="seconds"))),
    "with a panel without thresholds": (
        "panel-thresholds", "no thresholds", _panel(lambda p: p["fieldConfig"]["defaults"].pop("thresholds"))),
    "with a panel without queries": (
        "panel-targets", "asks for nothing", _panel(lambda p: p["targets"].clear())),
    "with two queries of one name": (
        "panel-refid", "repeats", _panel(lambda p: p["targets"].append(dict(p["targets"][0])))),
    "with an empty query": ("query-promql", "empty", _query(" ")),
    "with a query that is no PromQL": ("query-promql", "not PromQL", _query(f"sum(pgconn_up{{{T}}}")),
    "with an unknown metric": ("query-metric", "pgconn_ups", _query(f"pgconn_ups{{{T}}}")),
    "with an unknown label": ("query-label", "database", _query(f'pgconn_up{{{T}, database="x"}}')),
    "with a query for all targets": (
        "query-variables", "target", _query('pgconn_up{job=~"$job", cluster=~"$cluster"}')),
    "with a query that wants one target": (
        "query-variables", "target", _query(f"pgconn_up{{{T.replace('target=~', 'target=')}}}")),
    "with a query for all jobs": ("query-variables", "job", _query("process_open_fds")),
    "with a bare counter": ("query-counter", "is a counter", _query(f"pgconn_deadlocks_total{{{T}}}")),
    "with the highest of a counter": (
        "query-counter", "is a counter", _query(f"max_over_time(pgconn_deadlocks_total{{{T}}}[1h])")),
    "with the rate of a gauge": (
        "query-counter", "no counter", _query(f"rate(pgconn_up{{{T}}}[$__rate_interval])")),
    "with a rate of five minutes": (
        "query-rate-interval", "[5m]", _query(f"rate(pgconn_deadlocks_total{{{T}}}[5m])")),
    "with a window pinned to another moment": (
        "query-rate-interval", "$__range",
        _query(f"increase(pgconn_deadlocks_total{{{T}}}[$__range] @ start())")),
    "with a graph of rates over the whole range": (
        "query-rate-interval", "$__range", _query(f"increase(pgconn_deadlocks_total{{{T}}}[$__range])")),
}


@pytest.fixture(scope="module")
def found(lint, tmp_path_factory):
    """The findings in each broken copy of the fleet dashboard."""
    directory = tmp_path_factory.mktemp("broken")
    files = {}
    for number, (name, (_, _, mutate)) in enumerate(BROKEN.items()):
        content = committed.dashboard("fleet")
        mutate(content)
        files[name] = directory / f"{number}.json"
        files[name].write_text(json.dumps(content))
    findings = lint(files.values())
    return {name: findings[str(file)] for name, file in files.items()}


@pytest.mark.parametrize("file", committed.FILES, ids=lambda file: file.stem)
def test_the_committed_dashboards_follow_every_rule(committed_findings, file):
    assert committed_findings[str(file)] == []


@pytest.fixture(scope="module")
def committed_findings(lint):
    return lint(committed.FILES)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_dashboard_is_found(found, committed_findings, name):
    rule, words, _ = BROKEN[name]
    before = committed_findings[str(committed.ROOT / "json/pgconn-fleet.json")]
    new = [finding for finding in found[name] if finding not in before]
    assert [finding for finding in new if finding[0] == rule and words in " ".join(finding)], new


def test_every_rule_has_a_copy_that_breaks_it():
    source = "".join(path.read_text() for path in (committed.ROOT / "lint").glob("*.ts"))
    rules = {rule for rule, _, _ in BROKEN.values()}
    assert all(f"'{rule}'" in source for rule in rules)
    for prefix in ("file", "variable", "annotation", "panel", "query"):
        for word in source.split("'"):
            if word.startswith(f"{prefix}-") and word.replace("-", "").isalpha():
                assert word in rules, f"no broken copy shows that {word} is found"


def test_a_metric_that_the_reference_no_longer_declares_is_found(lint, tmp_path):
    reference = tmp_path / "metrics.md"
    reference.write_text(REFERENCE)
    file = committed.ROOT / "json/pgconn-fleet.json"
    told = [where + message for rule, where, message in lint([file], f"--metrics={reference}")[str(file)]
            if rule == "query-metric"]
    assert any("pgconn_blocked_by_idle_in_transaction" in line for line in told)
    assert not any(line.endswith("metric pgconn_up") for line in told)


def test_a_recording_rule_counts_as_a_metric(lint, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("groups:\n- name: a\n  rules:\n  - record: target:pgconn_slots:ratio\n    expr: '1'\n")
    content = committed.dashboard("fleet")
    _query(f"target:pgconn_slots:ratio{{{T}}}")(content)
    file = tmp_path / "fleet.json"
    file.write_text(json.dumps(content))
    unknown = ("query-metric", "Oldest session idle in transaction, A",
               "the exporter declares no metric target:pgconn_slots:ratio")
    assert unknown in lint([file])[str(file)]
    assert unknown not in lint([file], f"--rules={rules}")[str(file)]
