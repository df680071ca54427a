"""The dashboards as they are committed."""

import json
from pathlib import Path

from tests.support.process import REPOSITORY

ROOT = Path(REPOSITORY, "dashboards")
FILES = sorted((ROOT / "json").glob("*.json"))
UIDS = ("capacity", "drops", "exporter", "fleet", "probes", "settings", "tls", "transactions")
REGENERATE = "npm --prefix dashboards run build"


def dashboard(name):
    """A fresh copy, free to be changed: dashboard("fleet")."""
    return json.loads((ROOT / f"json/pgconn-{name}.json").read_text())


def panels(content):
    """All panels but the rows' headers, those of collapsed rows too."""
    for panel in content["panels"]:
        yield from panel.get("panels", ())
        if panel["type"] != "row":
            yield panel


def panel(content, title):
    """The panel of that title."""
    return next(panel for panel in panels(content) if panel["title"] == title)


def targets(content):
    """(panel, target) of every query of every panel."""
    for one in panels(content):
        for target in one.get("targets", ()):
            yield one, target
