"""Fixtures of the end-to-end tests: the real binary against real servers."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.support.exporter import Exporter
from tests.support.pgbox import PgBox
from tests.support.process import REPOSITORY


@pytest.fixture
def run_exporter():
    """run_exporter(config, *arguments) starts one; at the end each must stop gracefully."""
    with contextlib.ExitStack() as stack:

        def start(config, *arguments, **keywords):
            return stack.enter_context(Exporter(config, *arguments, **keywords))

        yield start


@pytest.fixture
def watch(run_exporter):
    """watch(box, …) starts an exporter with one target per box, named pg15 and so on."""

    def start(*boxes, **options):
        targets = [{"name": f"pg{box.version}", "dsn": box.dsn()} for box in boxes]
        return run_exporter({"targets": targets, **options})

    return start


@pytest.fixture(scope="session")
def guarded(newest):
    """A server where the role `monitor` needs the password `guarded.password`. Shared."""
    with PgBox(newest.version).start() as box:
        box.password = "correct-horse-battery"
        box.psql(f"CREATE ROLE monitor LOGIN PASSWORD '{box.password}'; GRANT pg_monitor TO monitor")
        box.hba("host all monitor 127.0.0.1/32 scram-sha-256")
        yield box


@pytest.fixture(scope="session")
def odd_lookup(tmp_path_factory):
    """Environment in which names below .hang, .moves and .strays are resolved as tests/support/odd_lookup.c says."""
    library = tmp_path_factory.mktemp("lookup") / "odd_lookup.so"
    source = Path(REPOSITORY, "tests/support/odd_lookup.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    # The second is for builds with AddressSanitizer, which must be the first library.
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.fixture
def sessions_of_exporters():
    """How many sessions exporters hold on a server, or count(box, state="idle")."""

    def count(box):
        return box.psql("SELECT count(*)::int FROM pg_stat_activity"
                        " WHERE application_name LIKE 'pgconn_exporter/%'")[0][0]

    return count
