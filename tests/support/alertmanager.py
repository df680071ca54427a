"""A real Alertmanager from a distribution's package, and a webhook that keeps what it sends."""

import copy
import http.server
import json
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.packages import unpacked
from tests.support.process import Process, StartsOnEntry, eventually, free_port

_PACKAGE = "prometheus-alertmanager"
# Debian's programs read their templates from the first path, where an unpacked package has none. The second, of equal
# length, is found from the package's root. A mount would need no change to the program, but containers allow none.
_INSTALLED, _UNPACKED = b"/usr/share/prometheus", b"usr/share/prometheus/"


def _copy_at_home(suite, program, directory):
    """A copy of the program, in that directory, that finds its templates when run in its package's root."""
    code = (unpacked(suite, _PACKAGE) / "usr/bin" / program).read_bytes()
    copy = directory / program
    copy.write_bytes(code.replace(_INSTALLED, _UNPACKED))
    copy.chmod(0o755)
    return str(copy)


def amtool(*arguments, suite="native"):
    """(exit status, output) of amtool. Paths are absolute ones."""
    with tempfile.TemporaryDirectory(prefix="amtool-") as name:
        result = subprocess.run(
            [_copy_at_home(suite, "amtool", Path(name)), *arguments], text=True, check=False, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=unpacked(suite, _PACKAGE),
        )
    return result.returncode, result.stdout


@dataclass(frozen=True)
class Notice:
    """One alert of one notification."""

    at: float  # time.monotonic() of its arrival
    receiver: str
    status: str  # firing or resolved
    labels: dict
    annotations: dict

    @property
    def name(self):
        return self.labels["alertname"]


class Webhook:
    """Receives notifications on loopback and keeps them. A context manager."""

    def __init__(self, on_notice=lambda notice: None):
        self.notices = []
        self._on_notice = on_notice
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802, the name that http.server calls
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sink._take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self):
        return self._server.server_address[1]

    def _take(self, body):
        for alert in body["alerts"]:
            notice = Notice(time.monotonic(), body["receiver"], alert["status"], alert["labels"],
                            alert["annotations"])
            self.notices.append(notice)
            self._on_notice(notice)

    def find(self, name, status="firing", **labels):
        """The first notice of that alert whose labels include `labels`, or None."""
        for notice in list(self.notices):
            if (notice.name, notice.status) == (name, status) and labels.items() <= notice.labels.items():
                return notice
        return None

    def wait(self, name, status="firing", timeout=60.0, **labels):
        """The same, waiting for its arrival; TimeoutError lists what has arrived instead."""
        try:
            return eventually(lambda: self.find(name, status, **labels), timeout, f"{name} {status} {labels}")
        except TimeoutError as error:
            arrived = sorted({f"{notice.name} {notice.status}" for notice in self.notices})
            raise TimeoutError(f"{error}; arrived: {', '.join(arrived) or 'nothing'}") from None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def sent_to(configuration, webhook_port, group_wait="1s", group_interval="1s"):
    """A configuration (as read from YAML) in which every receiver, except empty ones, sends to the webhook.

    Routes and inhibition stay as they are; only waiting times are shortened.
    """
    changed = copy.deepcopy(configuration)
    for receiver in changed["receivers"]:
        if len(receiver) > 1:
            url = f"http://127.0.0.1:{webhook_port}/{receiver['name']}"
            for kind in [kind for kind in receiver if kind != "name"]:
                del receiver[kind]
            receiver["webhook_configs"] = [{"url": url, "send_resolved": True}]

    def hurry(route):
        for key, value in (("group_wait", group_wait), ("group_interval", group_interval)):
            if key in route or route is changed["route"]:
                route[key] = value
        for child in route.get("routes", []):
            hurry(child)

    hurry(changed["route"])
    return changed


class Alertmanager(StartsOnEntry):
    """Runs with this configuration (as read from YAML) on loopback. A context manager."""

    def __init__(self, configuration, port=None, suite="native"):
        self.directory = Path(tempfile.mkdtemp(prefix="alertmanager-"))
        self.port = port or free_port()
        self._configuration = configuration
        self._suite = suite
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        config = self.directory / "alertmanager.yml"
        config.write_text(yaml.safe_dump(self._configuration))
        program = _copy_at_home(self._suite, "prometheus-alertmanager", self.directory)
        self.process = Process([
            program, f"--config.file={config}", f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
        ], cwd=unpacked(self._suite, _PACKAGE))
        self.process.wait_http(self.port, "/-/ready", timeout=60)
        return self

    def _has_started(self):
        return self.process is not None

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
        shutil.rmtree(self.directory, ignore_errors=True)
