"""What the dashboards say agrees with what the exporter says, and with itself."""

import json
import math
import re
from pathlib import Path

import pytest

from tests.dashboards import committed
from tests.support.process import REPOSITORY

ALL = {uid: committed.dashboard(uid) for uid in committed.UIDS}


def causes():
    text = Path(REPOSITORY, "docs/metrics.md").read_text()
    return re.search(r"Causes: ([\w, ]+)\.", text)[1].split(", ")


def fixed_colors(panel):
    """Colours by the name of a series, or by a word in it."""
    return {
        override["matcher"]["options"].removeprefix("/\\b").removesuffix("\\b/"): prop["value"]["fixedColor"]
        for override in panel.get("fieldConfig", {}).get("overrides", ()) for prop in override["properties"]
        if prop["id"] == "color"
    }


def by_cause():
    for uid, content in ALL.items():
        for panel, target in committed.targets(content):
            if "{{cause}}" in target.get("legendFormat", ""):
                yield uid, panel


def test_each_cause_has_one_color_of_its_own_wherever_it_appears():
    maps = [fixed_colors(panel) for _, panel in by_cause()]
    assert {uid for uid, _ in by_cause()} == {"fleet", "drops"}
    assert all(colors == maps[0] for colors in maps)
    assert sorted(maps[0]) == sorted(causes())
    assert len(set(maps[0].values())) == len(maps[0])


def test_a_name_has_the_same_color_on_every_dashboard():
    seen = {}
    for uid, content in ALL.items():
        for panel in committed.panels(content):
            for name, color in fixed_colors(panel).items():
                assert seen.setdefault(name, color) == color, f"{name} on {uid}, {panel['title']}"


def test_every_cause_is_explained_beside_the_graph():
    text = committed.panel(ALL["drops"], "Causes")["options"]["content"]
    rows = {row.split("`")[1] for row in text.splitlines() if "`" in row}
    assert rows == set(causes())


def test_every_finding_has_its_fix():
    source = Path(REPOSITORY, "collectors/postgres/known_findings.cc").read_text()
    known = set(re.findall(r'\.name = "(\w+)"', source))
    panel = committed.panel(ALL["settings"], "Findings and their fixes")
    fix = next(o for o in panel["fieldConfig"]["overrides"] if o["matcher"]["options"] == "Fix")
    mappings = next(prop["value"] for prop in fix["properties"] if prop["id"] == "mappings")
    assert known and set(mappings[0]["options"]) == known


@pytest.mark.parametrize("uid", committed.UIDS)
def test_links_lead_to_dashboards_that_exist(uid):
    led_to = set(re.findall(r"/d/([\w-]+)", json.dumps(ALL[uid])))
    assert led_to <= {content["uid"] for content in ALL.values()}


def test_a_row_of_the_fleet_leads_to_the_drops_of_that_target():
    table = committed.panel(ALL["fleet"], "Targets")
    override = next(o for o in table["fieldConfig"]["overrides"] if o["matcher"]["options"] == "Target")
    links = next(prop["value"] for prop in override["properties"] if prop["id"] == "links")
    assert "/d/pgconn-drops?" in links[0]["url"] and "var-target=${__data.fields.Target}" in links[0]["url"]


def test_alerts_and_runbooks_name_only_dashboards_that_exist():
    files = [path for path in Path(REPOSITORY, "alerts").rglob("*") if path.suffix in (".yml", ".md")]
    for file in files:
        named = set(re.findall(r"/d/(pgconn-[\w-]+)", file.read_text()))
        assert named <= {content["uid"] for content in ALL.values()}, file


def test_the_readme_lists_every_dashboard_with_its_question():
    text = (committed.ROOT / "README.md").read_text()
    for content in ALL.values():
        title = content["title"].removeprefix("PostgreSQL connections / ")
        assert f"| [{title}](json/{content['uid']}.json) | {content['description']} |" in text


def thresholds():
    """The numbers of the alerts: (name, severity) → value."""
    text = Path(REPOSITORY, "alerts/settings.rules.yml").read_text()
    rule = re.compile(r"record: pgconn:(?:threshold|objective):(\w+)\n *expr: ([\d*/. ]+)\n(?: *labels: (.*)\n)?")
    found = {}
    for name, expr, labels in rule.findall(text):
        severity = re.search(r"severity: (\w+)", labels)
        factor, _, divisor = expr.partition("/")
        value = math.prod(map(float, factor.split("*"))) / float(divisor or 1)
        found[name, severity and severity[1]] = value
    return found


def steps(uid, title):
    defaults = committed.panel(ALL[uid], title)["fieldConfig"]["defaults"]
    return [step["value"] for step in defaults["thresholds"]["steps"]]


@pytest.mark.parametrize("uid, title, name", [
    ("fleet", "Fullest target", "slots_used_ratio"),
    ("capacity", "Role nearest its limit", "limit_used_ratio"),
    ("capacity", "Database nearest its limit", "limit_used_ratio"),
    ("transactions", "Oldest idle in transaction", "idle_in_transaction_seconds"),
])
def test_a_tile_turns_orange_and_red_where_the_alerts_warn_and_page(uid, title, name):
    limits = thresholds()
    assert steps(uid, title) == [None, limits[name, "warning"], limits[name, "critical"]]


@pytest.mark.parametrize("uid, title, name", [
    ("transactions", "Nearest to its timeout", "idle_in_transaction_timeout_ratio"),
    ("transactions", "Oldest active transaction", "long_running_seconds"),
    ("probes", "Connect, median", "connect_seconds"),
])
def test_a_tile_turns_orange_where_the_alerts_warn(uid, title, name):
    assert steps(uid, title)[1] == thresholds()[name, None]


def test_certificates_are_due_when_the_alerts_say_so():
    limits = thresholds()
    expr = committed.panel(ALL["fleet"], "Certificates to renew")["targets"][0]["expr"]
    compared = re.findall(r"< bool ([\d.e-]+)\)", expr)
    assert [float(number) for number in compared] == pytest.approx([
        limits["certificate_remaining_seconds", "warning"], limits["certificate_remaining_ratio", "warning"],
        limits["certificate_remaining_seconds", "critical"], limits["certificate_remaining_ratio", "critical"],
    ])


def test_a_target_that_cannot_be_fully_seen_or_is_not_trusted_counts_as_a_problem():
    table = committed.panel(ALL["fleet"], "Targets")
    troubles = next(target["expr"] for target in table["targets"] if '"trouble", "down"' in target["expr"])
    for metric in ("pgconn_visibility", "pgconn_collector_success", "pgconn_certificate_verified"):
        assert metric in troubles
    titles = [override["matcher"]["options"] for override in table["fieldConfig"]["overrides"]]
    assert {"Sees all", "Certificate"} <= set(titles)


def test_a_series_has_the_colour_that_its_name_chooses():
    for uid, content in ALL.items():
        for panel in committed.panels(content):
            mode = panel.get("fieldConfig", {}).get("defaults", {}).get("color", {}).get("mode")
            assert mode != "palette-classic", f"{uid}, {panel['title']}"


def test_why_probes_fail_has_a_colour_for_every_reason():
    names = set(re.findall(r'case Reason::\w+:\s*return "(\w+)"', Path(REPOSITORY, "postgres/error.cc").read_text()))
    names |= set(re.findall(r'return "(\w+)"', Path(REPOSITORY, "postgres/reason_name.cc").read_text()))
    assert {"refused", "role_limit"} <= names
    assert set(fixed_colors(committed.panel(ALL["probes"], "Failures by reason"))) == names
