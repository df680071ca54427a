"""Runs the scripts of dashboards/ with Node.js, what they need installed as package-lock.json says."""

import json
import shutil
import subprocess

import pytest

from tests.dashboards.committed import ROOT


def _npm(*arguments):
    return subprocess.run(
        ["npm", "--silent", *arguments], cwd=ROOT, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def _installed():
    lock, installed = ROOT / "package-lock.json", ROOT / "node_modules/.package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


@pytest.fixture(scope="session")
def npm_run():
    """npm_run("lint", "--json") → the finished process of that script of dashboards/package.json."""
    if not shutil.which("npm"):
        pytest.skip("npm cannot be had here: the dashboards' sources cannot be run")
    if not _installed():
        result = _npm("ci", "--ignore-scripts")
        if result.returncode != 0:
            pytest.skip(f"the dashboards' packages cannot be had here: {result.stderr.strip()}")
    return lambda script, *arguments: _npm("run", script, "--", *arguments)


@pytest.fixture(scope="session")
def lint(npm_run):
    """lint(files) → the findings of each file, as lists of (rule, where, message)."""

    def run(files, *options):
        result = npm_run("lint", "--json", *options, *map(str, files))
        assert result.returncode in (0, 1) and result.stdout, result.stderr
        return {
            report["file"]: [(found["rule"], found["where"], found["message"]) for found in report["findings"]]
            for report in json.loads(result.stdout)
        }

    return run
