"""Many faults at random times on real servers: none may get a wrong cause, and none may be missed.

Each seed of each kind of fault is its own target; a seed always gives the same fault. Builds first (preset release).
Ends with tables of the causes that were counted, and status 1 if one was wrong. Not part of the tests: it takes a few
minutes for each version.
"""

import argparse
import sys
from pathlib import Path

from scripts.programs.building import program_for
from scripts.programs.progress import step
from tests.chaos.faults import kinds
from tests.support.process import Unavailable, interrupt_by_signals


def _parse():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=25, help="of each kind of fault, on each version")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=int, default=120, help="how long each version is watched")
    parser.add_argument("--versions", type=int, nargs="+", default=None, help="all unless named")
    parser.add_argument("--kinds", nargs="+", default=kinds(), choices=kinds())
    parser.add_argument("--keep", type=Path, help="a file: what is found is added to what it holds, and all is shown")
    parser.add_argument("--into", type=Path, help="writes the tables into this Markdown file, between its marks")
    return parser.parse_args()


def _watch(arguments):
    # Only once the modules that they need are installed.
    from tests.chaos.run import run
    from tests.chaos.tally import Tally
    from tests.support.packages import known_versions

    seeds = range(arguments.first, arguments.first + arguments.seeds)
    tally = Tally.load(arguments.keep) if arguments.keep else Tally()
    for version in (arguments.versions or known_versions()) if seeds else ():
        with step(f"PostgreSQL {version}: {len(seeds) * len(arguments.kinds)} targets for {arguments.seconds} s"):
            try:
                tally.add(run(version, seeds, arguments.seconds, arguments.kinds))
            except Unavailable as reason:
                print(f"   not available: {reason}", file=sys.stderr)
        if arguments.keep:
            tally.save(arguments.keep)
    print(*tally.tables(), sep="\n")
    print(f"{tally.sum()} drops, {len(tally.complaints)} complaints", *tally.complaints, sep="\n")
    if arguments.into:
        tally.write_into(arguments.into)
    return 1 if tally.complaints else 0


def main():
    arguments = _parse()
    interrupt_by_signals()
    try:
        return _watch(arguments) if program_for("scripts/chaos") else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
