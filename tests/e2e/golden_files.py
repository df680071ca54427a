"""Golden files: expositions without their values. To accept what the exporter says now:

    PGCONN_UPDATE_GOLDEN=1 scripts/test --only e2e
"""

import difflib
import os
import re
from pathlib import Path

GOLDEN = Path(__file__).with_name("golden")
# These describe this machine and this build.
CHANGING_LABELS = ("version", "revision", "libpq", "openssl", "port", "server_version", "cipher", "serial")


def without_values(text):
    """Comments as they are; series sorted within their family and stripped of what changes."""
    lines, series = [], []
    for line in text.splitlines():
        if line.startswith("#"):
            lines += sorted(series) + [line]
            series = []
            continue
        # Neither label values nor names end in a blank and a number.
        line = re.sub(r" \S+$", "", line)
        for label in CHANGING_LABELS:
            line = re.sub(rf'([{{,]){label}="[^"]*"', rf'\1{label}="…"', line)
        series.append(line)
    return "\n".join(lines + sorted(series)) + "\n"


def expect_golden(name, text):
    path = GOLDEN / name
    if os.environ.get("PGCONN_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text)
    expected = path.read_text() if path.exists() else ""
    difference = difflib.unified_diff(expected.splitlines(), text.splitlines(), name, "exporter", "", "", 1, "")
    assert text == expected, "\n".join(difference)
