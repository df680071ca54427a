"""Every family that the program declares is seen in some golden file, with the type and labels it declares."""

import re

from tests.e2e.golden_files import GOLDEN
from tests.support import exposition
from tests.support.exporter import run

# What no golden scene can show, and which test shows it.
ELSEWHERE = {
    **dict.fromkeys(("probe_success", "probe_duration_seconds", "probe_failure_info"), "tests/e2e/probe_test.py"),
    "pgconn_exporter_capped_series": "takes hundreds of sessions: tests/integration/names_test.py",
}
# Of targets with `server_log` and `host`, see tests/faults/witnesses_test.py and pgbouncer_log_test.py.
WITNESSES = ("pgconn_log_", "pgconn_host_", "pgconn_pgbouncer_log_")
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<type>\w+) \|(?P<labels>[^|]*)\|", re.MULTILINE)


def declared():
    """Families by name: their type in an exposition, and their labels."""
    status, text = run("list", "metrics", "--format=markdown")
    assert status == 0
    return {
        row["name"]: ("gauge" if row["type"] == "info" else row["type"], set(re.findall(r"`(\w+)`", row["labels"])))
        for row in ROW.finditer(text)
    }


def shown(path):
    """The families of a golden file; their values are not known."""
    lines = path.read_text().splitlines()
    return exposition.parse("".join(f"{line}\n" if line.startswith("#") else f"{line} 0\n" for line in lines))


def test_every_family_is_in_a_golden_file_or_is_known_to_be_shown_elsewhere():
    families, missing = declared(), dict(declared())
    of_target = {"target", "cluster", "note", "le"}
    for path in GOLDEN.glob("*.txt"):
        if "openmetrics" in path.name:
            continue
        for name, family in shown(path).items():
            assert name in families, f"{path.name} shows {name}, which is not declared"
            kind, labels = families[name]
            assert family.type == kind, name
            assert family.samples and set(family.label_names()) - of_target == labels, (path.name, name)
            missing.pop(name, None)
    assert {name for name in missing if not name.startswith(WITNESSES)} == ELSEWHERE.keys()
