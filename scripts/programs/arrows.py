"""Which folder may include whose headers: the arrows of docs/architecture.md.

The include path is the whole tree, so linking alone does not keep a header out.
"""

import re
from pathlib import Path

# A line for each folder of C++: the other folders whose headers it may include, besides its own. A line also covers
# the folders inside that have no line; None: all of ours. Every folder of C++ has a line or is covered by one.
MAY_INCLUDE = {
    "async": "",
    "text": "",
    "files": "",
    "x509": "",
    "metrics": "text",
    "config": "text files",
    "postgres": "text",
    "collectors": "postgres metrics text",
    "probes": "async postgres metrics",
    "probes/drops": "async postgres metrics",
    "probes/certificates": "postgres metrics files text x509",
    "sources/host": "metrics files text",
    "sources/server_log": "files metrics postgres text",
    "exporter": None,
    "exporter/log": "text",
    "exporter/own_metrics": "postgres metrics files text",
    "exporter/web": "exporter/log async config files text x509",
    "exporter/sources": "exporter/log async config metrics postgres probes/drops sources",
    "exporter/targets":
        "exporter/log exporter/own_metrics exporter/sources async config postgres metrics collectors probes sources text",
    "exporter/pages": "exporter/web exporter/targets config postgres metrics collectors probes text",
    "exporter/diagnosis": "exporter/targets config postgres metrics collectors probes text",
    "exporter/cli": None,
    "tests": None,
}
_INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def _lies_in(path, folder):
    return path.startswith(f"{folder}/")


def findings(files, may_include=None):
    """Violations of the arrows in these files of C++ (paths from the root), and files in a folder without any."""
    may_include = MAY_INCLUDE if may_include is None else may_include
    found = []
    for file in files:
        folders = [folder for folder in may_include if _lies_in(file, folder)]
        if not folders:
            found.append(f"{file}: its folder has no line in scripts/programs/arrows.py")
            continue
        own = max(folders, key=len)
        if may_include[own] is None:
            continue
        allowed = [own, *may_include[own].split()]
        for number, line in enumerate(Path(file).read_text().splitlines(), 1):
            include = _INCLUDE.match(line)
            if include and not any(_lies_in(include[1], folder) for folder in allowed):
                found.append(f"{file}:{number}: includes {include[1]}, and {own}/ may include headers of these folders"
                             f" alone: {' '.join(allowed)}")
    return found
