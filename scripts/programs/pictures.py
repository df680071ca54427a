"""Renews docs/pictures: builds the exporter, has it watch a small fleet of throwaway servers in some trouble,
and draws every dashboard from what Prometheus saw. Takes about nine minutes.

  scripts/pictures

Needs network namespaces (root), Chromium, and Node.js 20.19 or later (Debian 12 has 18).
"""

import sys

from scripts.programs.building import BuildFailed, build_release, install, set_environment
from tests.support.process import interrupt_by_signals


def main(*words):
    if words:
        print(__doc__, file=sys.stderr)
        return 2
    interrupt_by_signals()
    try:
        install("build", "test", "dashboards")
        build_release("pgconn_exporter")
        set_environment()
        from scripts.programs import drawing  # only once its modules are installed

        return drawing.draw_anew()
    except BuildFailed as error:
        print(f"scripts/pictures: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
