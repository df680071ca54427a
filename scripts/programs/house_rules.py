"""Our own rules, which no tool has, and the list of source files. All paths are relative to the working directory,
which is the root of the checkout."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

LONGEST = 400  # lines of a source file; CONTRIBUTING.md asks for about 300
_CPP = ("*.cc", "*.h")


class GitFailed(Exception):
    """git could not list the sources: without them every check would pass."""


def _git(*words, good=(0,)):
    result = subprocess.run(["git", *words], capture_output=True, text=True, check=False, timeout=600)
    if result.returncode not in good:
        raise GitFailed(f"needs a git checkout that git may read: {result.stderr.strip()}")
    return result.stdout


def files(*patterns):
    """The sources that match (git's patterns): those that git tracks, and new ones that it does not ignore."""
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *patterns)
    return [name for name in listed.split("\0") if name and Path(name).is_file()]


def scripts(*interpreters):
    """Files whose first line names one of these interpreters."""

    def starts_so(name):
        with open(name, "rb") as file:
            first = file.readline(200).decode(errors="replace")
        return first.startswith("#!") and first.split("/")[-1].split()[-1] in interpreters

    return [name for name in files() if starts_so(name)]


@dataclass(frozen=True)
class Forbidden:
    """An extended regular expression that must not match in the files of these git patterns."""

    why: str
    pattern: str
    where: tuple


# A bracket or a backslash keeps a pattern from matching itself here.
FORBIDDEN = [
    Forbidden("finish it or open an issue", r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b", (".", ":!CHANGELOG.md")),
    Forbidden("name no mirror or registry; machines have their own",
              r"(deb|ftp[a-z.]*|security|snapshot|archive)\.debian\.org|apt\.postgresql\.org|download\.docker\.com"
              r"|(ghcr|quay|docker|gcr)\.io/|pypi\.org|npmjs\.(org|com)", (".", ":!*package-lock.json")),
    Forbidden("an external header-only giant in a header slows every build: include it in a .cc",
              r"#include <(spdlog|CLI)/", ("*.h",)),
    Forbidden("await into a variable: g++ 12 breaks some coroutines that await in a condition",
              r"\b(if|while|switch) \([^()]*\bco_await", _CPP),
    Forbidden("libpq is for postgres/ alone", r'#include [<"](libpq|postgres_ext)',
              (*_CPP, ":!postgres/", ":!tests/unit/postgres/")),
]


def too_long():
    found = []
    sources = files("*.cc", "*.h", "*.py", "*.sh", "*.cmake", "*.ts", "*.tsx", "*.mjs")
    for name in sorted({*sources, *scripts("sh", "bash", "python3")}):
        lines = Path(name).read_bytes().count(b"\n")
        if lines > LONGEST:
            found.append(f"{name}: {lines} lines, more than {LONGEST}")
    return found


def not_first():
    """Sources that do not include the header of their name first: compiling them proves that it compiles alone."""
    found = []
    for name in files("*.cc"):
        header = f"{name.removesuffix('.cc')}.h"
        if Path(header).is_file():
            first = re.search(r"^\s*#.*$", Path(name).read_text(), re.MULTILINE)
            if not first or first[0] != f'#include "{header}"':
                found.append(f'{name}: #include "{header}" must come first, before any other directive')
    return found


def forbidden():
    found = []
    for rule in FORBIDDEN:
        lines = _git("grep", "--untracked", "-nIE", "-e", rule.pattern, "--", *rule.where, good=(0, 1)).splitlines()
        found += [f"{line}: {rule.why}" for line in lines]
    return found
