"""scripts/install-deps, and the beginning of every other script, on a machine that lacks everything."""

import os
import subprocess

import pytest

from tests.support.process import REPOSITORY

_FAKES = {
    "dpkg-query": "exit 1",  # no package is installed
    "apt-get": 'echo "$@" >>"$APT_LOG"; [ "${@: -1}" != none-such ]',
    "sudo": 'exec "$@"',
}


@pytest.fixture
def bare(tmp_path):
    """bare("scripts/test", "--help") runs it where no package is installed: (finished process, apt-get's arguments)."""
    for name, script in _FAKES.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
    log = tmp_path / "apt.log"
    log.touch()

    def run(*words):
        result = subprocess.run(
            [os.path.join(REPOSITORY, words[0]), *words[1:]], capture_output=True, text=True, check=False, timeout=60,
            cwd="/", env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "APT_LOG": str(log)})
        return result, log.read_text().splitlines()

    return run


@pytest.mark.parametrize("name", ["test", "lint", "bench", "demo", "pictures"])
def test_each_script_installs_python_before_it_does_anything_else(bare, name):
    result, told = bare(f"scripts/{name}", "--help")
    assert "python3" in told[-1].split() and "install" in told[-1].split(), result.stderr
    assert f"scripts/{name}" in result.stdout + result.stderr  # its usage, printed by Python
    assert len(told) == 2  # update, install: a script that only explains itself needs nothing more


def test_a_package_of_each_group_is_installed_when_none_is_named(bare):
    result, told = bare("scripts/install-deps")
    assert result.returncode == 0, result.stderr
    assert {"python3", "g++", "python3-pytest", "patchelf", "chromium", "shellcheck"} <= set(told[-1].split())


def test_an_unknown_group_is_told_with_those_there_are(bare):
    result, told = bare("scripts/install-deps", "builds")
    assert result.returncode == 2 and "'builds'; known are python, build" in result.stderr and told == []
