"""Fixtures of the fault tests: small servers to be broken, and exporters that hold connections to them."""

import contextlib

import pytest

from tests.faults.held import Held
from tests.integration.scenes import Scene
from tests.support.certificates import Authority
from tests.support.exporter import Exporter
from tests.support.midbox import SERVER_ADDRESS, far_from
from tests.support.packages import known_versions
from tests.support.pgbox import PgBox
from tests.support.process import Unavailable


@pytest.fixture(scope="session", params=known_versions(), ids=lambda version: f"pg{version}")
def server(request):
    """A small server of each version in turn, to be broken by the tests. They leave it running."""
    with PgBox(request.param) as server:
        try:
            server.start(max_connections=20, shared_buffers="16MB")
        except Unavailable as reason:
            pytest.skip(f"PostgreSQL {request.param} cannot be had: {reason}")
        yield server


@pytest.fixture
def scene(server):
    """A scene on that server."""
    with Scene(server) as scene:
        yield scene


@pytest.fixture
def own_scene(new_box):
    """A scene on a server of its own, of the newest version: for what no version can change."""
    with Scene(new_box(max_connections=20, shared_buffers="16MB")) as scene:
        yield scene


@pytest.fixture
def hold(scene):
    """hold(…) starts an exporter with fast probes and waits until it holds all its connections."""
    # Starts and crashes within a second or two of each other look the same from outside.
    scene.until(
        "SELECT clock_timestamp() > backend_start + interval '3 s' FROM pg_stat_activity"
        " WHERE backend_type = 'checkpointer'"
    )
    return lambda *arguments, **keywords: Held(scene, *arguments, **keywords).until_whole()


@pytest.fixture
def root(tmp_path):
    """A certificate authority that clients trust."""
    return Authority(tmp_path / "root", "Root")


@pytest.fixture
def far_server(new_box):
    """far_server(forgets_after=3, …) puts a server behind a Midbox. Returns both.

    From then on the test itself is where the box's client is.
    """
    with contextlib.ExitStack() as stack:

        def build(**options):
            server = new_box()
            try:
                return stack.enter_context(far_from(server, **options)), server
            except Unavailable as reason:
                pytest.skip(str(reason))

        yield build


@pytest.fixture
def watch(far_server):
    """watch(midbox_options, probes, dsns={name: more}): a Midbox, and an exporter on its client."""
    with contextlib.ExitStack() as stack:

        def start(midbox_options, probes, dsns=None):
            midbox, server = far_server(**midbox_options)
            targets = [
                {"name": name, "dsn": f"{server.dsn(host=SERVER_ADDRESS, sslmode='require')} {more}"}
                for name, more in (dsns or {"far": ""}).items()
            ]
            config = {"global": {"scrape_timeout": "2s"}, "targets": targets, "probes": probes}
            exporter = stack.enter_context(Exporter(config))
            stack.callback(lambda: print(*exporter.log_lines, sep="\n"))
            return midbox, exporter

        yield start
