"""The list of all queries, for tests that send them to a real Prometheus."""

import json
import re

import pytest

from tests.dashboards import committed
from tests.support.process import Unavailable
from tests.support.prometheus import promtool

# One target without the label `cluster`, one with it, and one that Prometheus knows by another job.
DOWN = """\
rule_files: []
tests:
  - interval: 15s
    input_series:
      - {series: 'pgconn_up{job="pgconn", target="shop"}', values: '0x20'}
      - {series: 'pgconn_up{job="pgconn", cluster="orders", target="orders-1"}', values: '0x20'}
      - {series: 'pgconn_up{job="staging", cluster="orders", target="orders-1"}', values: '0x20'}
    promql_expr_test:
      - {expr: '%s', eval_time: 2m, exp_samples: [{labels: '{}', value: %d}]}
"""


@pytest.fixture(scope="module")
def queries(npm_run):
    result = npm_run("queries", "--json", "--rate-interval=20s", "--range=10m", "--target=shop")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_every_query_of_every_panel_annotation_and_variable_is_listed(queries):
    for uid in committed.UIDS:
        content = committed.dashboard(uid)
        mine = [query for query in queries if query["dashboard"] == f"pgconn-{uid}"]
        asked = sorted((panel["title"], target["refId"]) for panel, target in committed.targets(content))
        assert sorted((q["title"], q["refId"]) for q in mine if q["kind"] in ("instant", "range")) == asked
        marks = [annotation["name"] for annotation in content["annotations"]["list"]]
        assert [q["title"] for q in mine if q["kind"] == "annotation"] == marks
        assert [q["title"] for q in mine if q["kind"] == "series"] == ["job", "cluster", "target"]


def test_variables_are_filled_in(queries):
    text = " ".join(query["expr"] for query in queries)
    assert not re.search(r"\$(?![12]\b)", text)  # $1 and $2 are label_replace's
    assert 'target=~"shop"' in text and 'cluster=~".*"' in text and "[20s]" in text and "[10m]" in text


@pytest.mark.parametrize("chosen, down", [
    ((), 3), (("--cluster=orders",), 2), (("--job=pgconn",), 2), (("--target=shop",), 1),
    (("--cluster=orders", "--job=pgconn"), 1), (("--cluster=(orders|billing)", "--target=shop"), 0),
], ids=lambda value: " ".join(value) or "all" if isinstance(value, tuple) else str(value))
def test_all_shows_targets_with_and_without_a_cluster_and_a_choice_narrows(npm_run, tmp_path, chosen, down):
    listed = json.loads(npm_run("queries", "--json", *chosen).stdout)
    expr = next(query["expr"] for query in listed
                if query["dashboard"] == "pgconn-fleet" and query["title"] == "Targets down")
    file = tmp_path / "test.yml"
    file.write_text(DOWN % (expr, down))
    try:
        status, output = promtool("test", "rules", str(file))
    except Unavailable as reason:
        pytest.skip(f"promtool cannot be had here: {reason}")
    assert status == 0, output
