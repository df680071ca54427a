"""The exporter's reader of server logs, apart from the exporter: tests/faults/log_reader.cc, on command."""

import contextlib
import json
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

from tests.support.exporter import binary
from tests.support.exposition import parse


class LogReader:
    """A context manager; begins to read with the first poll()."""

    def __init__(self, pattern, prefix="%m [%p] ", state=""):
        program = Path(binary()).parents[1] / "tests" / "faults" / "log_reader"
        self._child = subprocess.Popen(
            [program, prefix, str(state), str(pattern)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace",
        )
        self.events = []  # all so far
        self.problems = []

    def _ask(self, command):
        print(command, file=self._child.stdin, flush=True)
        lines = []
        for line in self._child.stdout:
            if line == "done\n":
                return lines
            if line.startswith("problem: "):
                self.problems.append(line.removeprefix("problem: ").rstrip())
            else:
                lines.append(line)
        raise AssertionError(f"log_reader ended in the middle of {command}, with {self._child.wait()}")

    def poll(self):
        """Reads what is new; an entry at the end of a file comes with the poll after."""
        self.events += [json.loads(line) for line in self._ask("poll")]
        return self

    def read_all(self):
        return self.poll().poll()

    def metrics(self):
        return parse("".join(self._ask("publish")))

    def counts(self, but=()):
        """How often each event came, without those named."""
        return Counter(event["event"] for event in self.events if event["event"] not in but)

    def refusals(self):
        return Counter(event["refusal"] for event in self.events if "refusal" in event)

    def of(self, name):
        return [event for event in self.events if event["event"] == name]

    def kill(self, amid=None):
        """SIGKILL; in the middle of a command, whatever it has come to by then."""
        if amid:
            print(amid, file=self._child.stdin, flush=True)
        self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        self._child.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._child.wait(10)
        self._child.stdout.close()


def in_text(path, pattern):
    """How often a pattern is in a file, as any other program would count it."""
    return len(re.findall(pattern, path.read_text(errors="replace"), re.MULTILINE))
