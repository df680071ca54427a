"""Measures what the exporter costs and how fast it is, and compares with the limits; not part of the tests.

Builds first (preset release, benchmarks on). Fails when a limit is exceeded: run it on an otherwise idle machine.
`fleet` starts four servers for a thousand targets and needs some gigabytes of memory.
"""

import argparse
import sys

from scripts.programs.building import PYTHON, BuildFailed, build_release, install, set_environment
from scripts.programs.commands import run
from scripts.programs.progress import step
from tests.support.process import interrupt_by_signals

_MEASUREMENTS = {
    "exposition": ("writing the exposition", "build/release/tests/bench/exposition_bench"),
    "instruments": ("counting for a thousand targets", "build/release/tests/bench/instruments_bench"),
    "server_log": ("reading a server's log", "build/release/tests/bench/server_log_bench"),
    "scrape": ("scraping a server", PYTHON, "tests/bench/scrape_cost.py"),
    "detection": ("noticing losses", PYTHON, "tests/bench/detection.py"),
    "probes": ("probing a target", PYTHON, "tests/bench/probes_cost.py"),
    "fleet": ("probing a thousand targets", PYTHON, "tests/bench/fleet_cost.py"),
}


def measure(names):
    """Whether all results are within their limits."""
    well = True
    for name in names:
        title, *words = _MEASUREMENTS[name]
        with step(title):
            well = run(*words) == 0 and well
    return well


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurements", nargs="*", metavar="MEASUREMENT",
                        help=f"{', '.join(_MEASUREMENTS)}: all of them when none is named")
    names = parser.parse_args().measurements or list(_MEASUREMENTS)
    for name in names:
        if name not in _MEASUREMENTS:
            parser.error(f"unknown measurement '{name}'")
    interrupt_by_signals()
    try:
        install("build", "test")
        build_release("pgconn_exporter", "exposition_bench", "instruments_bench", "server_log_bench",
                      options=["-DPGCONN_BENCHMARKS=ON"])
        set_environment()
        return 0 if measure(names) else 1
    except BuildFailed as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
