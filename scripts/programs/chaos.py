"""Many faults at random times on real servers: none may get a wrong cause, and none may be missed.

Each seed of each kind of fault is its own target, on its own path; a seed always gives the same fault. Builds first
(preset release). Ends with a table of the causes that were counted, and status 1 if one was wrong. Not part of the
tests: fifty seeds on every version take a quarter of an hour.
"""

import argparse
import collections
import os
import sys

from scripts.programs.building import BuildFailed, build_release, install, set_environment
from scripts.programs.progress import step
from tests.support.process import Unavailable, interrupt_by_signals

_KINDS = ("age", "silence", "pause", "terminate")


def _parse():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50, help="of each kind of fault, on each version")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=int, default=120, help="how long each version is watched")
    parser.add_argument("--versions", type=int, nargs="+", default=None, help="all unless named")
    parser.add_argument("--kinds", nargs="+", default=list(_KINDS), choices=_KINDS)
    return parser.parse_args()


def _table(drops):
    causes = sorted({cause for _, cause in drops})
    rows = collections.defaultdict(dict)
    for (kind, cause), count in drops.items():
        rows[kind][cause] = count
    yield "| fault | " + " | ".join(causes) + " |"
    yield "|---|" + "---:|" * len(causes)
    for kind, counts in rows.items():
        yield f"| {kind} | " + " | ".join(str(counts.get(cause, 0)) for cause in causes) + " |"


def _watch(arguments):
    # Only once the modules that they need are installed.
    from tests.chaos.run import Outcome, run
    from tests.support.packages import known_versions

    seeds = range(arguments.first, arguments.first + arguments.seeds)
    total = Outcome()
    for version in arguments.versions or known_versions():
        with step(f"PostgreSQL {version}: {len(seeds) * len(arguments.kinds)} paths for {arguments.seconds} s"):
            try:
                total.add(run(version, seeds, arguments.seconds, arguments.kinds))
            except Unavailable as reason:
                print(f"   not available: {reason}", file=sys.stderr)
    print(*_table(total.drops), sep="\n")
    print(f"{sum(total.drops.values())} drops, {len(total.wrong)} complaints", *total.wrong, sep="\n")
    return 1 if total.wrong else 0


def main():
    arguments = _parse()
    interrupt_by_signals()
    program = os.environ.get("PGCONN_EXPORTER")
    try:
        install("test", *([] if program else ["build"]))
        if not program:
            build_release("pgconn_exporter")
        set_environment(program=program)
        return _watch(arguments)
    except BuildFailed as error:
        print(f"scripts/chaos: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
