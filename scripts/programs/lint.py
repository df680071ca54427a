"""Installs what is missing and checks style: formatting, clang-tidy, shell and Python scripts, and our own rules.
Files that git ignores are not checked. A check prints what it finds; all of them run, and lint fails if any finds
something."""

import argparse
import os
import re
import subprocess
import sys
import tempfile

from scripts.programs import arrows, house_rules
from scripts.programs.building import PYTHON, BuildFailed, install
from scripts.programs.commands import run
from scripts.programs.progress import step
from tests.support.process import interrupt_by_signals

_PRESET = "release"
# The flags are g++'s. Asio 1.22 knows clang's coroutines only under their early, experimental name.
_FOR_CLANG = ["--extra-arg=-Wno-error", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-DASIO_HAS_CO_AWAIT",
              "--extra-arg=-DASIO_HAS_STD_COROUTINE"]
_COUNTS = re.compile(r"([0-9]+ warnings? (generated|treated)|Suppressed )")  # of suppressed warnings, on stderr


def formatting():
    return run("clang-format-19", "--dry-run", "--Werror", *house_rules.files("*.cc", "*.h")) == 0


def shell_scripts():
    return run("shellcheck", "--severity=warning", *sorted({*house_rules.files("*.sh"),
                                                            *house_rules.scripts("sh", "bash")})) == 0


def python_scripts():
    return run(PYTHON, "-m", "pyflakes", *sorted({*house_rules.files("*.py"), *house_rules.scripts("python3")})) == 0


def rules_of_our_own():
    found = [*house_rules.too_long(), *house_rules.not_first(), *house_rules.forbidden(),
             *arrows.findings(house_rules.files("*.cc", "*.h"))]
    for finding in found:
        print(finding, file=sys.stderr)
    return not found


def translation_units():
    return [name for name in house_rules.files("*.cc") if not name.startswith("tests/")]


def tidy(configured=False):
    if not configured and run("cmake", "--preset", _PRESET, stdout=subprocess.DEVNULL) != 0:
        return False
    with tempfile.TemporaryFile("w+") as names, tempfile.TemporaryFile("w+", errors="replace") as errors:
        names.write("".join(f"{name}\0" for name in translation_units()))
        names.seek(0)
        status = run("xargs", "-0", "-n", 1, "-P", os.cpu_count(), "clang-tidy-19", "--quiet", "-p",
                     f"build/{_PRESET}", "--warnings-as-errors=*", *_FOR_CLANG, stdin=names, stderr=errors)
        errors.seek(0)
        said = [line for line in errors.read().splitlines() if not _COUNTS.match(line)]
    if status != 0:
        print(*said[-40:], sep="\n", file=sys.stderr)
    return status == 0


def _tidy_name():
    return f"clang-tidy, {len(translation_units())} files"


def check(name, passes):
    """Runs this check, a function; whether it found nothing."""
    with step(name):
        well = passes()
        if not well:
            print(f"lint: {name} found something", file=sys.stderr)
    return well


def lint(fix, quick):
    """Runs all checks; whether they found nothing."""
    house_rules.files("scripts/lint")  # fails at once if git does not answer
    if fix:
        run("clang-format-19", "-i", *house_rules.files("*.cc", "*.h"))
    checks = [("formatting", formatting), ("shell scripts", shell_scripts), ("Python scripts", python_scripts),
              ("house rules", rules_of_our_own)]
    if not quick:
        checks.append((_tidy_name(), tidy))
    return all([check(name, passes) for name, passes in checks])


def main():
    parser = argparse.ArgumentParser(prog="scripts/lint", description=__doc__, allow_abbrev=False)
    parser.add_argument("--fix", action="store_true", help="formats the C++ sources first")
    parser.add_argument("--quick", action="store_true", help="leaves out clang-tidy, which takes minutes")
    parser.add_argument("--beside-tests", action="store_true",
                        help="clang-tidy alone, in a tree that is built: what scripts/test --tidy runs")
    options = parser.parse_args()
    interrupt_by_signals()
    try:
        if options.beside_tests:
            well = check(_tidy_name(), lambda: tidy(configured=True))
        else:
            install("build", "lint")
            well = lint(options.fix, options.quick)
    except (BuildFailed, house_rules.GitFailed) as error:
        print(f"scripts/lint: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("scripts/lint: clean" if well else "scripts/lint: FAILED")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
