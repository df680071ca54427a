"""Grafana with the dashboards of dashboards/, for the demo, if the machine has Grafana."""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from tests.support.process import REPOSITORY, Failed, Process, free_port

HOW = "does not run on this machine; dashboards/README.md says how to import the dashboards into yours"
_HOME = "/usr/share/grafana"
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", f"{_HOME}/bin"])  # where packages install it


def _provision(directory, prometheus_url):
    """The provisioning files of dashboards/, with this Prometheus and this checkout's dashboards."""
    source = Path(REPOSITORY, "dashboards/provisioning")
    datasources = yaml.safe_load((source / "datasources.yaml").read_text())
    datasources["datasources"][0]["url"] = prometheus_url
    dashboards = yaml.safe_load((source / "dashboards.yaml").read_text())
    dashboards["providers"][0]["options"]["path"] = str(Path(REPOSITORY, "dashboards/json"))
    for kind, content in (("datasources", datasources), ("dashboards", dashboards)):
        (directory / kind).mkdir()
        (directory / kind / "pgconn.yaml").write_text(yaml.safe_dump(content))


def _address_once_ready(process, port):
    try:
        process.wait_http(port, "/api/health", timeout=60)
    except Failed as error:
        print(f"   Grafana did not start; going on without it: {error}", file=sys.stderr)
        return None
    return f"http://127.0.0.1:{port}/d/pgconn-fleet"


@contextlib.contextmanager
def beside(prometheus_url):
    """Runs Grafana, without login, during the block; gives its address, or None if it cannot run here."""
    program = shutil.which("grafana", path=_PATH)
    if not program or not os.path.isdir(_HOME):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="grafana-") as name:
        directory = Path(name)
        (directory / "provisioning").mkdir()
        _provision(directory / "provisioning", prometheus_url)
        port = free_port()
        settings = {
            "GF_PATHS_DATA": directory / "data", "GF_PATHS_LOGS": directory / "log",
            "GF_PATHS_PROVISIONING": directory / "provisioning", "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": port, "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_ANALYTICS_REPORTING_ENABLED": "false", "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        }
        process = Process([program, "server", f"--homepath={_HOME}"],
                          env={**os.environ, **{key: str(value) for key, value in settings.items()}})
        try:
            yield _address_once_ready(process, port)
        finally:
            process.terminate()
