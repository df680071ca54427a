"""Installs what is missing, builds, and runs every test. Works as root and as a user with sudo.

All but the slow fault tests run on every PostgreSQL that tests/support/packages.py knows. The slow ones run on the
oldest, the newest and another that changes from day to day, or with `--versions all` on all. Servers for the tests are
downloaded as packages into a cache and run from there.
"""

import argparse
import collections
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.programs.building import PYTHON, BuildFailed, cmake_build, install, set_environment
from scripts.programs.commands import in_background, run, run_beside
from scripts.programs.progress import Summary
from tests.support.packages import known_versions
from tests.support.process import interrupt_by_signals

_PGBOX = "tests/support/pgbox"
_DAY = 24 * 3600


class Tests:
    """The steps, in the order in which they run."""

    def __init__(self, preset, versions):
        self.summary = Summary()
        self._preset = preset
        self._versions = versions

    def _run(self, name, words):
        """Runs a step of one command."""
        with self.summary.step(name) as failures:
            if run(*words) != 0:
                failures.append(name)

    def _run_beside(self, name, commands):
        """Runs a step of commands side by side: each has its own servers and mostly waits."""
        start = time.monotonic()
        with self.summary.step(name) as failures:

            def ended(part, status, output):
                result = "FAILED" if status else "ok"
                print(f"   {part}: {result} after {time.monotonic() - start:.0f} s", output, sep="\n", end="", flush=True)
                if status:
                    failures.append(part)

            run_beside(commands, ended)

    def build(self):
        """Builds; whether there is a program to test."""
        with self.summary.step(f"build ({self._preset})") as failures:
            if run("cmake", "--preset", self._preset, stdout=subprocess.DEVNULL) or run(*cmake_build(self._preset)):
                failures.append("build")
        return not failures

    @contextlib.contextmanager
    def tidy(self):
        """clang-tidy beside the block, with the CPU time that the tests leave; most of them wait."""
        with in_background(PYTHON, "-B", "-m", "scripts.programs.lint", "--beside-tests") as finish:
            yield
            with self.summary.step("clang-tidy, the rest of it") as failures:
                status, output = finish()
                print(output, end="", flush=True)
                if status:
                    failures.append("clang-tidy")

    def unit(self):
        self._run("headers compile alone", cmake_build(self._preset, "all_verify_interface_header_sets"))
        self._run("unit tests", ["ctest", "--preset", self._preset, "-L", "unit", "-j", os.cpu_count(),
                                 "--no-tests=error", "--output-on-failure"])
        self._run("scripts", pytest("tests/scripts"))

    def servers(self):
        """Downloads them side by side; unavailable versions are reported and left out. Whether there is any."""
        commands = {version: [_PGBOX, "fetch", version] for version in known_versions()}
        with self.summary.step("PostgreSQL servers") as failures:

            def ended(version, status, output):
                if status:
                    print(f"SKIPPED PostgreSQL {version}: {output}", end="", file=sys.stderr, flush=True)
                    del commands[version]

            run_beside(dict(commands), ended)
            if not commands:
                failures.append("no PostgreSQL at all can be had: nothing to test against")
                print(*failures, file=sys.stderr)
        return not failures

    def integration(self):
        every = known_versions()
        program = ["timeout", 900, f"build/{self._preset}/tests/integration/integration_postgres"]
        self._run_beside("integration tests", {
            "C++, older versions": [_PGBOX, "with", *every[:4], "--", *program],
            "C++, newer versions": [_PGBOX, "with", *every[4:], "--", *program],
            "Python": spread(3, "tests/support", "tests/integration"),
        })

    def e2e(self):
        self._run("end-to-end tests", spread(2, "tests/e2e"))

    def faults(self):
        every = known_versions()
        chosen = every if self._versions == "all" else rotating(every, int(time.time() // _DAY))
        print("   faults are tried on PostgreSQL", *chosen, flush=True)
        left_out = " and ".join(f"not pg{version}" for version in every if version not in chosen)
        self._run("faults", spread(5, "tests/faults", "-k", left_out))

    def alerts(self):
        """Runs side by side: Prometheus and Alertmanager, the distribution's and current ones, mostly wait. promtool
        computes all the time, and lets them go first."""
        self._run_beside("alerts", {"rules": ["nice", "-n", 5, *pytest("tests/alerts")],
                                    "from metric to pager": spread(2, "tests/pager")})

    def dashboards(self):
        self._run("dashboards", pytest("tests/dashboards"))


def pytest(*words):
    return [PYTHON, "-m", "pytest", "-q", *words]


def spread(processes, *words):
    """Most tests wait for a timeout or a clock and leave the CPUs to others. A group (see tests/conftest.py) is a file's
    tests of one version: it runs in one process, one test after another."""
    return pytest("-n", processes, "--dist", "loadgroup", *words)


def rotating(versions, day):
    """The oldest, the newest, and one in between that depends on the day."""
    between = versions[1:-1]
    return [versions[0], between[day % len(between)], versions[-1]]


_PARTS = {"unit": Tests.unit, "integration": Tests.integration, "e2e": Tests.e2e, "faults": Tests.faults,
          "alerts": Tests.alerts, "dashboards": Tests.dashboards}
# The packages that each needs besides those for building, see scripts/install-deps.
_GROUPS = {"unit": ["unit"], "dashboards": ["unit", "test", "dashboards"]}


def report(summary, skipped):
    """Prints how each step ended and what was skipped (a line each); the exit status of the whole."""
    print(f"\n{summary}")
    if skipped:
        print("\nSKIPPED for want of something here:")
        for reason, count in sorted(collections.Counter(skipped).items()):
            print(f"{count:7} {reason}")
        print()
    if summary.failed:
        print("scripts/test: FAILED")
    elif skipped:
        print(f"scripts/test: passed, but not whole: {len(skipped)} skipped for want of what is named above")
    else:
        print("scripts/test: all passed")
    return 1 if summary.failed else 0


def run_tests(tests, parts, tidy=False):
    """Runs the steps; without a program, or without any server, it skips the rest."""
    if tests.build():
        with tests.tidy() if tidy else contextlib.nullcontext():
            run_parts(tests, parts)


def run_parts(tests, parts):
    if "unit" in parts:
        _PARTS["unit"](tests)
    others = [part for part in parts if part != "unit"]
    if others and tests.servers():
        for part in others:
            _PARTS[part](tests)


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="release", help="one of CMakePresets.json; release unless named")
    parser.add_argument("--only", choices=_PARTS)
    parser.add_argument("--versions", choices=["all"])
    parser.add_argument("--tidy", action="store_true", help="clang-tidy beside the tests, for a machine with more than two CPUs")
    options = parser.parse_args()
    if options.tidy and options.preset != "release":
        parser.error("--tidy is for the preset release")
    parts = [options.only] if options.only else list(_PARTS)
    interrupt_by_signals()
    try:
        install("build", *(["lint"] if options.tidy else []), *dict.fromkeys(group for part in parts for group in _GROUPS.get(part, ["unit", "test"])))
        set_environment(options.preset)
        tests = Tests(options.preset, options.versions)
        with tempfile.TemporaryDirectory(prefix="tests-") as directory:
            # One line for each test that lacks something on this machine, see tests/conftest.py.
            skipped = Path(directory, "skipped")
            skipped.touch()
            os.environ["PGCONN_SKIPPED"] = str(skipped)
            run_tests(tests, parts, options.tidy)
            return report(tests.summary, skipped.read_text().splitlines())
    except BuildFailed as error:
        print(f"scripts/test: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("scripts/test: interrupted; what ran is ended", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
