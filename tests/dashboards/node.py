"""What in dashboards/ runs with Node.js, its packages installed as package-lock.json says."""

import os
import shutil
import subprocess

from tests.support.process import Unavailable


def npm(directory, *arguments):
    """The finished process of npm in that directory."""
    return subprocess.run(
        ["npm", "--silent", *arguments], cwd=directory, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
    )


def install(directory):
    """Installs its packages unless that was done since package-lock.json changed; may raise Unavailable."""
    if not shutil.which("npm"):
        raise Unavailable("there is no npm")
    lock, installed = directory / "package-lock.json", directory / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        result = npm(directory, "ci", "--ignore-scripts")
        if result.returncode != 0:  # a registry may fail briefly
            result = npm(directory, "ci", "--ignore-scripts")
        if result.returncode != 0:
            # Continuous integration must not count as passed what it did not run.
            kind = RuntimeError if os.environ.get("CI") == "true" else Unavailable
            raise kind(f"npm ci in {directory}: {result.stderr.strip()}")
