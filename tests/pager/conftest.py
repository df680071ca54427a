"""Fixtures of the pager tests: each runs with the distribution's Prometheus and Alertmanager and with current ones."""

import contextlib

import pytest

from tests.support.packages import unpacked
from tests.support.pager import Pager
from tests.support.exporter import Exporter
from tests.support.process import Unavailable

# The distribution's own, and what it will ship next.
SUITES = ("native", "sid")


@pytest.fixture(params=SUITES)
def suite(request):
    """The release that Prometheus and Alertmanager are taken from, each in turn."""
    try:
        for package in ("prometheus", "prometheus-alertmanager"):
            unpacked(request.param, package)
    except Unavailable as reason:
        pytest.skip(f"of {request.param}: {reason}")
    return request.param


@pytest.fixture
def watch(suite):
    """watch(targets, …) starts an exporter and a Pager behind it: (exporter, pager)."""
    with contextlib.ExitStack() as stack:

        def start(targets, probes=None, **options):
            probes = probes if probes is not None else {"connect": False, "roundtrip": False, "idle": False}
            exporter = stack.enter_context(Exporter({"targets": targets, "probes": probes}))
            return exporter, stack.enter_context(Pager(exporter, suite, **options))

        yield start
