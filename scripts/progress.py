"""One line per long step, with the time it took: what steps.sh is to the shell scripts."""

import contextlib
import sys
import time


@contextlib.contextmanager
def step(text):
    print(f"== {text}", file=sys.stderr, flush=True)
    start = time.monotonic()
    yield
    print(f"-- {text}: {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
