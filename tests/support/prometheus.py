"""A real Prometheus from a distribution's package, run for a test or the demo."""

import json
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from tests.support.packages import unpacked
from tests.support.process import Process, StartsOnEntry, free_port, http_get


def promtool(*arguments, stdin="", suite="native"):
    """(exit status, output) of promtool, for example of `check metrics` with an exposition as stdin."""
    result = subprocess.run(
        [str(unpacked(suite, "prometheus") / "usr/bin/promtool"), *arguments], input=stdin, text=True,
        check=False, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    return result.returncode, result.stdout


class Prometheus(StartsOnEntry):
    """Scrapes the given ports of loopback. A context manager; it removes all its files.

    `jobs` maps a job's name to the port, or a list of ports, whose /metrics it scrapes. `rules` are rule
    files, `alertmanagers` the ports of loopback that alerts are sent to, repeated every `resend`. `suite` is the
    release whose Prometheus it is. `scrape` is added to the configuration of each scrape. A job's ports may be a dict
    instead: its whole configuration.
    """

    def __init__(self, jobs, interval="1s", port=None, rules=(), alertmanagers=(), suite="native", resend="1m",
                 scrape=None):
        self.directory = Path(tempfile.mkdtemp(prefix="prometheus-"))
        self.port = port or free_port()
        self._jobs = jobs
        self._interval = interval
        self._rules = [str(path) for path in rules]
        self._alertmanagers = alertmanagers
        self._suite = suite
        self._resend = resend
        self._scrape = scrape or {}
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _configuration(self):
        def on_loopback(ports):
            return [{"targets": [f"127.0.0.1:{port}" for port in ports]}]

        def sources(ports):
            if isinstance(ports, dict):
                return ports
            return {"static_configs": on_loopback(ports if isinstance(ports, list) else [ports])}

        scrapes = [{"job_name": job, **sources(ports), **self._scrape} for job, ports in self._jobs.items()]
        intervals = dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), self._interval)
        configuration = {"global": intervals, "scrape_configs": scrapes, "rule_files": self._rules}
        if self._alertmanagers:
            configuration["alerting"] = {"alertmanagers": [{"static_configs": on_loopback(self._alertmanagers)}]}
        return configuration

    def start(self):
        config = self.directory / "prometheus.yml"
        config.write_text(json.dumps(self._configuration(), indent=2))
        root = unpacked(self._suite, "prometheus")
        command = [
            root / "usr/bin/prometheus", f"--config.file={config}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--rules.alert.resend-delay={self._resend}",
        ]
        assets = root / "usr/share/prometheus/web"
        if self._suite == "native" and assets.exists():
            command.append(f"--web.local-assets={assets}")  # Debian's own option
        self.process = Process(command)
        self.process.wait_http(self.port, "/-/ready", timeout=60)
        return self

    def _api(self, path, **parameters):
        answer = json.loads(http_get(self.port, f"/api/v1/{path}?" + urllib.parse.urlencode(parameters)).body)
        if answer["status"] != "success":
            raise ValueError(f"{path} {parameters}: {answer['error']}")
        return answer["data"]

    def query(self, promql):
        """Samples of an instant query: a list of (labels, value)."""
        result = self._api("query", query=promql)["result"]
        return [(row["metric"], float(row["value"][1])) for row in result]

    def value(self, promql):
        """The only value of a query, or None if it has none."""
        rows = self.query(promql)
        if len(rows) > 1:
            raise LookupError(f"{promql} gives {len(rows)} series")
        return rows[0][1] if rows else None

    def alerts(self):
        """The alerts now pending and firing, as its API returns them."""
        return self._api("alerts")["alerts"]

    def broken_rules(self):
        """The rules whose last evaluation failed: a list of (name, error)."""
        rules = [rule for group in self._api("rules")["groups"] for rule in group["rules"]]
        return [(rule["name"], rule["lastError"]) for rule in rules if rule.get("lastError")]

    def _has_started(self):
        return self.process is not None

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
        shutil.rmtree(self.directory, ignore_errors=True)
