"""Grafana's own panel code draws every dashboard from what a real Prometheus has, and each panel shows something."""

import time

import pytest

from tests.dashboards import node, rendering
from tests.dashboards.committed import FILES
from tests.support.process import Unavailable, eventually

SCRAPE_INTERVAL = "5s"  # as set in Grafana; $__rate_interval is four of them
# The last of the faults, and what came before it.
LAST = "sum(pgconn_certificate_changes_total) > 0 and sum(pgconn_deadlocks_total) > 0"


@pytest.fixture(scope="module")
def renderer():
    try:
        rendering.require()
    except Unavailable as reason:
        pytest.skip(f"the dashboards cannot be drawn here: {reason}")


@pytest.fixture(scope="module")
def drawn(renderer, _trouble, tmp_path_factory):
    """All dashboards, drawn once."""
    namespace, prometheus, begin = _trouble
    directory = tmp_path_factory.mktemp("pictures")
    files = [rendering.hurried(file, directory, SCRAPE_INTERVAL) for file in FILES]
    with namespace.inside():
        eventually(lambda: prometheus.query(LAST), 60, "the last of the troubles")
        # All of the faults, however long ago: other tests may have run first.
        return rendering.render(files, prometheus.url, directory, "--from", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin)), "--to", "now",
                                "--scrape-interval", SCRAPE_INTERVAL, "--deadline", "180")


def test_the_renderer_succeeds(drawn):
    assert drawn.status == 0, drawn.errors
    assert sorted(drawn.dashboards) == [file.stem for file in FILES]


@pytest.mark.parametrize("uid", [file.stem for file in FILES])
def test_every_panel_of_a_dashboard_is_drawn_with_data(drawn, uid):
    dashboard = drawn.dashboards[uid]
    assert dashboard["errors"] == []
    without = {panel["title"]: panel["state"] for panel in dashboard["panels"] if panel["state"] != "data"}
    assert dashboard["panels"] and not without


@pytest.mark.parametrize("uid", [file.stem for file in FILES])
def test_the_picture_of_a_dashboard_is_small(drawn, uid):
    assert 0 < drawn.dashboards[uid]["bytes"] <= rendering.MAX_BYTES


@pytest.mark.parametrize("uid", [file.stem for file in FILES])
def test_the_committed_picture_of_a_dashboard_is_there_and_small(uid):
    assert 0 < (rendering.PICTURES / f"{uid}.png").stat().st_size <= rendering.MAX_BYTES


def test_every_committed_picture_is_of_a_dashboard_and_small():
    pictures = sorted(rendering.PICTURES.glob("*"))
    assert {path.name.removesuffix(".png").removesuffix("-light") for path in pictures} == {file.stem for file in FILES}
    assert [path.name for path in pictures if path.stat().st_size > rendering.MAX_BYTES] == []


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_renderer_passes_its_own_tests(renderer, script):
    result = node.npm(rendering.RENDERER, "run", script)
    assert result.returncode == 0, result.stdout + result.stderr
