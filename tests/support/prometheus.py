"""A real Prometheus from the distribution's package, run for a test or the demo."""

import functools
import json
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from tests.support.process import Process, free_port, http_get

_DEBBOX = Path(__file__).with_name("debbox.sh")


class Unavailable(Exception):
    """Prometheus cannot be had here; the message says why."""


@functools.lru_cache(maxsize=None)
def _root():
    result = subprocess.run(
        ["bash", str(_DEBBOX), "native", "prometheus"], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise Unavailable(result.stderr.strip())
    return Path(result.stdout.strip())


def promtool(*arguments, stdin=""):
    """(exit status, output) of promtool, for example of `check metrics` with an exposition as stdin."""
    result = subprocess.run(
        [str(_root() / "usr/bin/promtool"), *arguments], input=stdin, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    return result.returncode, result.stdout


class Prometheus:
    """Scrapes the given ports of loopback. A context manager; all it writes goes with it.

    `jobs` maps a job's name to the port whose /metrics it scrapes.
    """

    def __init__(self, jobs, interval="1s", port=None):
        self.directory = Path(tempfile.mkdtemp(prefix="prometheus-"))
        self.port = port or free_port()
        self._jobs = jobs
        self._interval = interval
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        scrapes = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            for job, port in self._jobs.items()
        ]
        intervals = dict.fromkeys(
            ("scrape_interval", "scrape_timeout", "evaluation_interval"), self._interval
        )
        config = self.directory / "prometheus.yml"
        config.write_text(json.dumps({"global": intervals, "scrape_configs": scrapes}, indent=2))
        root = _root()
        self.process = Process([
            root / "usr/bin/prometheus", f"--config.file={config}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--web.local-assets={root / 'usr/share/prometheus/web'}",
        ])
        self.process.wait_http(self.port, "/-/ready", timeout=60)
        return self

    def query(self, promql):
        """Samples of an instant query: a list of (labels, value)."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": promql})
        answer = json.loads(http_get(self.port, path).body)
        if answer["status"] != "success":
            raise ValueError(f"{promql}: {answer['error']}")
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def value(self, promql):
        """The one value of a query, or None if it has none."""
        rows = self.query(promql)
        if len(rows) > 1:
            raise LookupError(f"{promql} gives {len(rows)} series")
        return rows[0][1] if rows else None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
        shutil.rmtree(self.directory, ignore_errors=True)
