"""Fixtures of the integration tests: scenes on shared servers, and servers to restart and crash."""

import pytest

from tests.integration.scenes import Scene
from tests.support.pgbox import PgBox


@pytest.fixture
def scene(box):
    """A scene on the shared server of each version."""
    with Scene(box) as scene:
        yield scene


@pytest.fixture(scope="session")
def spare(box):
    """A small server of each version that may be stopped, crashed and restarted."""
    slots = {"max_connections": 10, "superuser_reserved_connections": 2}
    if box.version >= 16:
        slots["reserved_connections"] = 1
    with PgBox(box.version) as spare:
        yield spare.start(**slots)


@pytest.fixture
def spare_scene(spare):
    with Scene(spare) as scene:
        yield scene
