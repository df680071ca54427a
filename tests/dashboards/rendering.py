"""Pictures of the dashboards, drawn by dashboards/render."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass

from tests.dashboards.committed import ROOT, panels
from tests.dashboards.node import install
from tests.support.process import Unavailable

RENDERER = ROOT / "render"
PICTURES = ROOT.parent / "docs/pictures"
MAX_BYTES = 300_000
_OLDEST_NODE = (20, 19)


def require():
    """Unavailable unless dashboards can be drawn here. Installs the renderer's packages if that is due."""
    node = shutil.which("node")
    if not node:
        raise Unavailable("there is no Node.js")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True,
                             timeout=60).stdout.strip()
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < _OLDEST_NODE:
        raise Unavailable(f"Node.js {version} is too old: it takes {'.'.join(map(str, _OLDEST_NODE))}")
    if not shutil.which("chromium"):
        raise Unavailable("there is no chromium")
    install(RENDERER)


def hurried(file, directory, bars):
    """A copy for minutes rather than hours: its bars, two minutes wide as a rule, are as wide as given ("5s")."""
    content = json.loads(file.read_text())
    for panel in panels(content):
        if "interval" in panel:
            panel["interval"] = bars
    copy = directory / file.name
    copy.write_text(json.dumps(content))
    return copy


@dataclass(frozen=True)
class Rendering:
    status: int
    errors: str
    dashboards: dict  # by uid: what the renderer reports about each, see its README


def render(files, prometheus_url, directory, *options):
    """Draws the files as PNGs of that directory."""
    command = ["node", RENDERER / "render.mjs", "--json", "--prometheus", prometheus_url, "--out", directory,
               "--chromium", shutil.which("chromium"), *options, *files]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=500)
    drawn = json.loads(result.stdout) if result.stdout else []
    return Rendering(result.returncode, result.stderr, {dashboard["uid"]: dashboard for dashboard in drawn})
