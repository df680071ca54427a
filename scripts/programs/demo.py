"""Shows pgconn_exporter at work: installs what is missing, builds it, and starts a throwaway PostgreSQL with
a small living workload, the exporter, a Prometheus with the alerting rules, and an Alertmanager that tells
a webhook. Grafana too, where the machine has it. Ctrl-C ends and removes it all.

  scripts/demo           runs until Ctrl-C, on the usual ports where they are free
  scripts/demo --once    on free ports; prints what the exporter saw, then ends
  scripts/demo --drill   on free ports; breaks things and shows how long each alert takes to come and go

With PGCONN_EXPORTER=PATH it shows that program and builds none.
"""

import sys

from scripts.programs.building import program_for
from tests.support.process import interrupt_by_signals

_MODES = {(): "forever", ("--once",): "once", ("--drill",): "drill"}


def main(*words):
    mode = _MODES.get(words)
    if not mode:
        print(__doc__, file=sys.stderr)
        return 2
    interrupt_by_signals()
    try:
        if not program_for("scripts/demo"):
            return 1
    except KeyboardInterrupt:
        return 130
    from scripts.programs import demonstration  # only once its modules are installed

    return demonstration.show(mode)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
