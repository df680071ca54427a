"""One line per long step, with the time it took."""

import contextlib
import sys
import time


@contextlib.contextmanager
def step(text):
    """Announces the block, and prints how long it took, however it ends."""
    print(f"== {text}", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        yield
    finally:
        print(f"-- {text}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


class Summary:
    """The result of each step, for the end of a long run."""

    def __init__(self):
        self._lines = []
        self.failed = False

    @contextlib.contextmanager
    def step(self, name):
        """A step that may fail without ending the run. The block adds failures to a list; a step is ok if the list is
        empty at the end."""
        failures = []
        start = time.monotonic()
        with step(name):
            yield failures
        self.failed = self.failed or bool(failures)
        result = "FAILED" if failures else "ok"
        self._lines.append(f"{result:<7} {name:<28} {time.monotonic() - start:4.0f} s")

    def __str__(self):
        return "\n".join(self._lines)
