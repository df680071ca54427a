"""The console of a real PgBouncer, asked as a kind of target that knows no SQL and no pipeline."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.exporter import binary
from tests.support.pgbouncer import SUITES, PgBouncer
from tests.support.process import Unavailable


@pytest.fixture(params=SUITES)
def console(request, newest):
    try:
        with PgBouncer(request.param, newest) as pooler:
            yield pooler.dsn(dbname="pgbouncer")
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_a_console_is_collected_by_the_simple_protocol(console):
    tests = Path(binary()).parents[1] / "tests" / "integration" / "integration_postgres"
    environment = {**os.environ, "PGBOUNCER_CONSOLE": console}
    done = subprocess.run([tests, "[console]"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 test case" in done.stdout
