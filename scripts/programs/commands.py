"""Runs commands, each in a process group of its own. Interrupted, it ends the groups as a whole and waits until their
servers are down: see tests.support.process.interrupt_by_signals, which makes a KeyboardInterrupt of every signal."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.process import interruption_held

_PATIENCE = 60  # seconds that a group has to end its servers


@contextlib.contextmanager
def _groups():
    """A function that begins commands; whatever still runs of them when the block is left by an exception is ended."""
    begun = []

    def begin(words, **options):
        options = {"stdin": subprocess.DEVNULL, **options}
        # In the same session, so that a shell that ends can still hang up on it.
        with interruption_held():
            begun.append(subprocess.Popen([str(word) for word in words], process_group=0, **options))
        return begun[-1]

    try:
        yield begin
    except BaseException:
        _end(begun)
        raise


def _signal(child, number):
    """Whether there was anybody in the child's group to be told."""
    child.poll()  # an ended child that nobody has asked about would count as one
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return False
    return True


def _end(children):
    print("-- ending what runs", file=sys.stderr, flush=True)
    deadline = time.monotonic() + _PATIENCE
    left = [child for child in children if _signal(child, signal.SIGTERM)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)  # members of a group that are not our children can only be asked about
        left = [child for child in left if _signal(child, 0)]
    for child in left:
        _signal(child, signal.SIGKILL)


def run(*words, **options):
    """The command's exit status. Options are those of subprocess.Popen."""
    with _groups() as begin:
        return begin(words, **options).wait()


def run_beside(commands, ended):
    """Runs commands (name → words) side by side and waits for all. `ended(name, status, output)` when one has."""
    with tempfile.TemporaryDirectory(prefix="output-") as directory, _groups() as begin:
        running = {}
        for number, (name, words) in enumerate(commands.items()):
            path = Path(directory, str(number))
            with path.open("w") as file:
                running[name] = path, begin(words, stdout=file, stderr=subprocess.STDOUT)
        while running:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            for name, (path, child) in list(running.items()):
                if child.poll() is not None:
                    del running[name]
                    ended(name, child.returncode, path.read_text(errors="replace"))
