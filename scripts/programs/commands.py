"""Runs commands, each in a process group of its own. When interrupted, it ends whole groups and waits until their
servers are down, see tests.support.process.interrupt_by_signals, which turns every signal into a KeyboardInterrupt."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.process import interruption_held

_PATIENCE = 60  # seconds that a group has for ending its servers


@contextlib.contextmanager
def _groups():
    """Gives a function that starts commands; those still running when an exception leaves the block are ended."""
    begun = []

    def begin(words, **options):
        options = {"stdin": subprocess.DEVNULL, **options}
        # In the same session, so that the end of the shell still hangs up on it.
        with interruption_held():
            begun.append(subprocess.Popen([str(word) for word in words], process_group=0, **options))
        return begun[-1]

    try:
        yield begin
    except BaseException:
        _end(begun)
        raise


def _signal(child, number):
    """Whether the child's group still had a process to signal."""
    child.poll()  # reaps an ended child, which would count as one
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
        time.sleep(0.05)  # members that are not our children can only be polled
        left = [child for child in left if _signal(child, 0)]
    for child in left:
        _signal(child, signal.SIGKILL)


def run(*words, **options):
    """Runs a command and returns its exit status. Options are those of subprocess.Popen."""
    with _groups() as begin:
        return begin(words, **options).wait()


@contextlib.contextmanager
def in_background(*words):
    """Runs a command with the CPU time that all others leave, while the block runs. Gives a function that waits for it:
    (exit status, output)."""
    with tempfile.TemporaryFile("w+", errors="replace") as output, _groups() as begin:
        child = begin(["chrt", "--idle", 0, *words], stdout=output, stderr=subprocess.STDOUT)

        def finish():
            status = child.wait()
            output.seek(0)
            return status, output.read()

        yield finish


def run_beside(commands, ended):
    """Runs commands (name → words) side by side and waits for all. Calls `ended(name, status, output)` after each."""
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
