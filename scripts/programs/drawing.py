"""What scripts/pictures does once everything is built. After Ctrl-C, SIGTERM or a failure it ends all it started."""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from scripts.programs.progress import step
from tests.dashboards import committed, rendering
from tests.dashboards.fleet import SCRAPE_INTERVAL, Fleet
from tests.support.process import REPOSITORY, Failed, Unavailable

PICTURES = Path(REPOSITORY, "docs/pictures")
LIFE = 440  # seconds; the first ones are not shown, as rates need some time to start
SHOWN = "now-7m"
BARS = "30s"


class Undrawn(Exception):
    """A dashboard was not drawn properly."""


def draw(files, url, directory, theme):
    result = rendering.render(files, url, directory, "--from", SHOWN, "--to", "now",
                              "--scrape-interval", SCRAPE_INTERVAL, "--theme", theme)
    print(result.errors, end="", file=sys.stderr)
    if result.status != 0:
        raise Undrawn("see above")
    empty = [f"{uid}: {panel['title']}" for uid, dashboard in result.dashboards.items()
             for panel in dashboard["panels"] if panel["state"] != "data"]
    if empty:
        raise Undrawn(f"panels without data: {', '.join(empty)}")


def make_pictures(directory):
    with step("Node.js packages, where they are due"):
        rendering.require()
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: print("-- everything ended", file=sys.stderr))
        with step("six servers, their clients, the exporter, Prometheus: download if missing, start"):
            fleet = stack.enter_context(Fleet())
        with step(f"{LIFE} s of their life"):
            fleet.live(LIFE, lambda words: print(f"   {words}", file=sys.stderr, flush=True))
        with step("drawing"):
            files = [rendering.hurried(file, directory, BARS) for file in committed.FILES]
            draw(files, fleet.prometheus.url, directory / "dark", "dark")
            first = [file for file in files if file.stem == "pgconn-fleet"]
            draw(first, fleet.prometheus.url, directory / "light", "light")


def keep(directory):
    """Puts the new pictures in place of the old ones."""
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("pgconn-*.png"):
        old.unlink()
    for picture in sorted((directory / "dark").glob("*.png")):
        shutil.copyfile(picture, PICTURES / picture.name)
    shutil.copyfile(directory / "light/pgconn-fleet.png", PICTURES / "pgconn-fleet-light.png")


def draw_anew():
    """Draws the pictures and returns the exit status of scripts/pictures."""
    try:
        with tempfile.TemporaryDirectory(prefix="pictures-") as name:
            make_pictures(Path(name))
            keep(Path(name))
    except (Undrawn, Failed, TimeoutError, Unavailable) as error:
        print(f"scripts/pictures: {error}", file=sys.stderr)
        return 1
    return 0
