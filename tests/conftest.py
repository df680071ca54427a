"""Fixtures that integration and end-to-end tests share: real servers of every version at hand."""

import collections
import contextlib
import os
import re
from pathlib import Path

import pytest

from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable, interrupt_by_signals

_missing = {}  # version → why it is not available
_running = {}  # version → the shared server


def pytest_configure():
    # Cancelling a run sends SIGTERM: the servers must be taken down then as after Ctrl-C.
    interrupt_by_signals()


def _version_of(item):
    return re.search(r"\[.*?(pg\d\d)\b", item.nodeid)


# These load the machine, or measure how fast it answers: never at the same time.
_LOUD = {"probe_test.py", "slow_clients_test.py", "target_files_test.py"}


def _group_of(item):
    """What one process gets as a whole when several share a run: a file's tests of one version. It starts that version's
    server once. Tests that are `alone` have no group."""
    variant = re.search(r"\[.*?(pg\d\d|native|bookworm|sid)\b", item.nodeid)
    if item.path.name in _LOUD:
        return "loud"
    return f"{item.path.name} {variant[1]}" if variant else item.path.name


@pytest.hookimpl(trylast=True)  # after pytest's own, which decides the order
def pytest_collection_modifyitems(config, items):
    """Leaves out what the newest version alone is for, and hands out the longest work first."""
    newest = f"pg{known_versions()[-1]}"

    def is_superfluous(item):
        version = _version_of(item)
        return item.get_closest_marker("newest_only") and version and version[1] != newest

    superfluous = [item for item in items if is_superfluous(item)]
    config.hook.pytest_deselected(items=superfluous)
    items[:] = [item for item in items if not is_superfluous(item)]
    if config.pluginmanager.hasplugin("xdist"):
        grouped = [item for item in items if not item.get_closest_marker("alone")]
        for item in grouped:
            item.add_marker(pytest.mark.xdist_group(_group_of(item)))
        sizes = collections.Counter(map(_group_of, grouped))
        items.sort(key=lambda item: 0 if item.get_closest_marker("alone") else 1 / sizes[_group_of(item)])


def _shared_box(version):
    if version not in _running and version not in _missing:
        box = PgBox(version)
        try:
            _running[version] = box.start(max_connections=60, max_prepared_transactions=2)
        except Unavailable as reason:
            _missing[version] = str(reason)
        finally:
            if version not in _running:
                box.destroy()
    if version in _missing:
        pytest.skip(f"PostgreSQL {version} cannot be had: {_missing[version]}")
    return _running[version]


@pytest.fixture(scope="session", params=known_versions(), ids=lambda version: f"pg{version}")
def box(request):
    """A running server, each version in turn. Shared: a test leaves it as it found it."""
    return _shared_box(request.param)


@pytest.fixture(scope="session")
def boxes():
    """All available servers, by version; shared like `box`."""
    for version in known_versions():
        try:
            _shared_box(version)
        except pytest.skip.Exception:
            continue
    if not _running:
        pytest.skip("no PostgreSQL can be had here")
    return dict(_running)


@pytest.fixture(scope="session")
def newest():
    """The newest available server, for tests that need just one; shared like `box`."""
    for version in sorted(known_versions(), reverse=True):
        with contextlib.suppress(pytest.skip.Exception):
            return _shared_box(version)
    pytest.skip("no PostgreSQL can be had here")


@pytest.fixture
def new_box(request):
    """Makes servers for one test alone, to be broken at will: new_box(15, work_mem="1MB").

    Without a version: the primary's for a standby (standby_of=BOX), else the newest available one.
    """
    made = []

    def make(version=None, standby_of=None, **settings):
        if version is None:
            version = (standby_of or request.getfixturevalue("newest")).version
        box = PgBox(version)
        made.append(box)
        try:
            return box.start_standby_of(standby_of, **settings) if standby_of else box.start(**settings)
        except Unavailable as reason:
            _missing[version] = str(reason)
            pytest.skip(f"PostgreSQL {version} cannot be had: {reason}")

    yield make
    for box in reversed(made):
        box.destroy()


def pytest_sessionfinish():
    for box in _running.values():
        box.destroy()


# Skipped on every machine: a version cannot be tested for what it does not have.
_NOT_OF_THAT_VERSION = re.compile(r"since PostgreSQL \d+$|new in PostgreSQL \d+$|newer than that \w+$")


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist: its controller reports
        return
    for version, reason in sorted(_missing.items()):
        terminalreporter.write_line(f"SKIPPED PostgreSQL {version}: {reason}", red=True, bold=True)
    skipped = [report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", [])]
    lacking = [reason for reason in skipped if not _NOT_OF_THAT_VERSION.search(reason)]
    if lacking and (list_for_all := os.environ.get("PGCONN_SKIPPED")):  # see scripts/test
        with Path(list_for_all).open("a") as file:
            file.writelines(f"{' '.join(reason.split())}\n" for reason in lacking)
