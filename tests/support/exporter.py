"""The real pgconn_exporter binary, run for a test."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support import exposition
from tests.support.process import REPOSITORY, Process, StartsOnEntry, free_port, http_get


def binary():
    """The program under test: $PGCONN_EXPORTER, or that of the release build."""
    default = os.path.join(REPOSITORY, "build/release/exporter/pgconn_exporter")
    return os.environ.get("PGCONN_EXPORTER", default)


# Every probe would add connections to every test.
_NO_PROBES = dict.fromkeys(("connect", "roundtrip", "idle", "longquery", "certificate"), False)


class Exporter(StartsOnEntry):
    """An exporter on loopback. A context manager; leaving it asserts a graceful exit.

    `config` is YAML as text, or a dict, and may be set until the start; None starts it without a file.
    Probes that a dict does not mention are off.
    `env` adds to the environment. The port is a free one unless given. `stdin` as subprocess takes it.
    """

    def __init__(self, config, *arguments, env=None, port=None, stdin=subprocess.DEVNULL):
        self.directory = Path(tempfile.mkdtemp(prefix="exporter-"))
        self.port = port or free_port()
        self.config = config
        self._arguments = arguments
        self._env = {**os.environ, **(env or {})}
        self._stdin = stdin
        self._process = None
        self._awaited = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def config_path(self):
        return self.directory / "config.yml"

    def start(self):
        command = [binary(), f"--web.listen-address=127.0.0.1:{self.port}"]
        if self.config is not None:
            self.write_config(self.config)
            command.append(f"--config.file={self.config_path}")
        self._process = Process([*command, *self._arguments], env=self._env, stdin=self._stdin)
        self._wait_ready()
        return self

    def _wait_ready(self):
        self._process.wait_http(self.port, "/-/ready")

    def write_config(self, config):
        if isinstance(config, dict):
            config = {**config, "probes": {**_NO_PROBES, **config.get("probes", {})}}
        # JSON is YAML.
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        self.config_path.write_text(text + "\n")

    def write_secret(self, name, secret):
        """Writes a file that only its owner may read; returns its path."""
        path = self.directory / name
        path.touch(0o600)
        path.write_text(secret + "\n")
        return str(path)

    def get(self, path, headers=None, method="GET", timeout=30.0):
        return http_get(self.port, path, headers, method, timeout)

    def metrics(self, query="", headers=None):
        """Scrapes /metrics once and parses it; `query` is for example "target=one"."""
        answer = self.get("/metrics" + (f"?{query}" if query else ""), headers)
        assert answer.status == 200, f"/metrics?{query}: {answer.status}: {answer.text}"
        return exposition.parse(answer.text)

    @property
    def process(self):
        return self._process

    @property
    def log_lines(self):
        return self._process.log_lines

    def stop(self):
        """Ends it with SIGTERM; AssertionError unless it ended by itself with status 0."""
        already = self._process.returncode
        assert already is None, f"the exporter died with {already}:\n{self._process.log_tail()}"
        self._awaited = True
        status = self._process.terminate()
        assert status == 0, f"the exporter ended with {status}:\n{self._process.log_tail()}"

    def wait(self, timeout=15.0):
        """Waits for its end and returns its exit status. The test then judges it, not the context manager."""
        self._awaited = True
        return self._process.wait(timeout)

    def _has_started(self):
        return self._process is not None

    def __exit__(self, kind, *_):
        try:
            if kind is None and not self._awaited:
                self.stop()
            elif self._process:
                self._process.terminate()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


def run(*arguments, env=None, timeout=60.0):
    """Runs the binary until it ends, for example with `check-config FILE`: (exit status, output)."""
    process = Process([binary(), *arguments], env={**os.environ, **(env or {})})
    try:
        status = process.wait(timeout)
    finally:
        process.terminate(0)
    return status, "\n".join(process.log_lines)
