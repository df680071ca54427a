"""What every program here does first: installs what is missing, builds, and sets the environment for the build."""

import os
import sys
import tempfile
from pathlib import Path

from scripts.programs.commands import run
from scripts.programs.progress import step

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # the distribution's, with the distribution's modules


class BuildFailed(Exception):
    """Something could not be installed or built; the tool's output has been printed."""


def install(*groups):
    """Installs the packages of these groups that are missing, see scripts/install-deps."""
    # Not in a process group of its own: sudo may ask for a password.
    if os.spawnv(os.P_WAIT, ROOT / "scripts/install-deps", ["install-deps", *groups]) != 0:
        raise BuildFailed("not all packages are installed")


def set_environment(preset="release", program=None):
    """Makes tests and measurements use `program`, or the one that was built. PGHOST and the like must not reach it."""
    for name in [name for name in os.environ if name.startswith("PG") and "_" not in name]:
        del os.environ[name]
    os.environ.update(PGCONN_EXPORTER=program or str(ROOT / f"build/{preset}/exporter/pgconn_exporter"),
                      PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")


def cmake_build(preset, *targets):
    """The command that builds these targets, or everything."""
    return ["cmake", "--build", "--preset", preset, "-j", os.cpu_count(), *(["--target", *targets] if targets else [])]


def program_for(script):
    """Makes the tests' servers and a program usable: $PGCONN_EXPORTER, else one that is built now. Whether it worked."""
    program = os.environ.get("PGCONN_EXPORTER")
    try:
        install("test", *([] if program else ["build"]))
        if not program:
            build_release("pgconn_exporter")
    except BuildFailed as error:
        print(f"{script}: {error}", file=sys.stderr)
        return False
    set_environment(program=program)
    return True


def build_release(*targets, options=()):
    """Builds these targets; prints something only if that fails."""
    with step("building"), tempfile.TemporaryFile("w+", errors="replace") as log:
        for words in (["cmake", "--preset", "release", *options], cmake_build("release", *targets)):
            if run(*words, stdout=log, stderr=log) != 0:
                log.seek(0)
                print(*log.read().splitlines()[-40:], sep="\n", file=sys.stderr)
                raise BuildFailed("the build failed")
