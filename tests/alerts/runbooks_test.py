"""What a runbook tells people to look at and to type is real: panels, PromQL, SQL on a real server."""

import contextlib
import json
import re

import psycopg2
import pytest
import yaml

from tests.alerts import rulebook
from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable
from tests.support.prometheus import promtool

RUNBOOKS = sorted((rulebook.ROOT / "alerts/runbooks").glob("*.md"))
SECTIONS = ["What it means", "What users notice", "First look", "Likely causes", "Fix", "Verify", "Prevent"]
each_runbook = pytest.mark.parametrize("path", RUNBOOKS, ids=[path.stem for path in RUNBOOKS])


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def section(text, title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def panels_by_dashboard():
    found = {}
    for path in sorted((rulebook.ROOT / "dashboards/json").glob("*.json")):
        content = json.loads(path.read_text())
        found[content["title"].rpartition(" / ")[2]] = {panel["title"] for panel in content["panels"]}
    return found


def unknown_panels(text, known):
    """What the line `Dashboard **One**, *Panel* and *Panel*, then **Other**, *Panel*` names and is not there."""
    lines = [line for line in text.splitlines() if line.startswith("Dashboard **")]
    if not lines:
        yield "no line begins with Dashboard"
    for line in lines:
        dashboard, named = None, 0
        for bold, italic in re.findall(r"\*\*([^*]+)\*\*|(?<!\*)\*([^*]+)\*(?!\*)", line):
            if bold:
                dashboard = bold
                if bold not in known:
                    yield f"no dashboard {bold}"
            else:
                named += 1
                if italic not in known.get(dashboard, ()):
                    yield f"no panel {italic} on {dashboard}"
        if not named:
            yield f"{dashboard}: no panel is named"


@each_runbook
def test_a_runbook_has_its_sections_in_order(path):
    assert re.findall(r"^## (.*)$", path.read_text(), re.MULTILINE) == SECTIONS


@each_runbook
def test_the_panels_of_the_first_look_exist(path):
    assert list(unknown_panels(section(path.read_text(), "First look"), panels_by_dashboard())) == []


def test_a_panel_or_dashboard_that_does_not_exist_is_reported():
    known = {"Fleet": {"Targets"}, "Probes": {"Runs"}}
    told = "Dashboard **Fleet**, *Targets* and *Runs*, then **Drops**, *Runs*; **Probes**, *Runs*."
    assert list(unknown_panels(told, known)) == ["no panel Runs on Fleet", "no dashboard Drops", "no panel Runs on Drops"]
    assert list(unknown_panels("Dashboard **Fleet**.", known)) == ["Fleet: no panel is named"]


def test_the_promql_of_all_runbooks_parses(tmp_path):
    rules = [{"record": f"runbook:{path.stem}:{number}", "expr": block}
             for path in RUNBOOKS for number, block in enumerate(blocks(path, "promql"))]
    assert len(rules) > len(RUNBOOKS)
    file = tmp_path / "runbooks.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))
    try:
        status, output = promtool("check", "rules", str(file))
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert status == 0, output


def statements(sql):
    """Split at semicolons outside of quotes and comments."""
    pieces = re.findall(r"(?:'[^']*'|--[^\n]*|[^;'-]|-)+", sql)
    return [piece.strip() for piece in pieces if re.sub(r"--[^\n]*", "", piece).strip()]


@pytest.fixture(scope="module")
def connect():
    """connect() to a throwaway server that has the roles and the database of the runbooks' examples."""
    with contextlib.ExitStack() as stack:
        try:
            box = stack.enter_context(PgBox(known_versions()[-1])).start(max_prepared_transactions=2)
        except Unavailable as reason:
            pytest.skip(str(reason))
        for role in ("app", "batch", "monitoring", "operator", "pgconn", "reporting"):
            box.psql(f"CREATE ROLE {role} LOGIN")
        box.psql("CREATE DATABASE orders")
        yield lambda: contextlib.closing(box.connect())


@each_runbook
def test_the_sql_of_a_runbook_runs(path, connect):
    refused = []
    with connect() as connection:
        connection.autocommit = True
        for statement in (one for block in blocks(path, "sql") for one in statements(block)):
            try:
                connection.cursor().execute(statement)
            except psycopg2.errors.DuplicateObject:
                pass  # the role to be watched with is there already
            except psycopg2.Error as error:
                refused.append(f"{statement}\n{error}")
    assert not refused, "\n".join(refused)
