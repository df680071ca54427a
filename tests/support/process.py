"""Child processes whose output is collected, with bounded waits and a guaranteed end."""

import contextlib
import glob
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    """A port below those for outgoing connections, so that none of these takes it before it is used."""
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


def eventually(condition, timeout=30.0, what="condition"):
    """Polls until `condition()` is truthy and returns its value; TimeoutError after `timeout` seconds.

    At first every 20 ms, then less often, up to ten times a second: a condition is often a scrape, and the tests that
    run beside this one need the CPU too.
    """
    begin = time.monotonic()
    deadline = begin + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(min(0.1, 0.02 + (time.monotonic() - begin) / 20))


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict  # lower-case names
    body: bytes

    @property
    def text(self):
        return self.body.decode()


def http_get(port, path, headers=None, method="GET", timeout=30.0):
    """One request to a server on loopback; OSError if it does not answer."""
    return request_on(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout), path, headers, method)


def request_on(connection, path, headers=None, method="GET"):
    """One request on a connection of http.client, which is closed then."""
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, names, answer.read())
    finally:
        connection.close()


def interrupt_by_signals():
    """From now on SIGINT, SIGTERM and SIGHUP (except under nohup) raise KeyboardInterrupt in the main thread, once."""
    ending = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)

    def end(*_):
        for number in ending:
            signal.signal(number, signal.SIG_IGN)  # only once: the shutdown itself must not be interrupted
        _interruption.arrive()

    for number in ending:
        signal.signal(number, end)


class _Interruption:
    """An interruption that may have to wait for the end of a block."""

    def __init__(self):
        self._held = self._waits = False

    def arrive(self):
        if not self._held:
            raise KeyboardInterrupt
        self._waits = True

    @contextlib.contextmanager
    def held(self):
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._waits:
            self._waits = False
            raise KeyboardInterrupt


_interruption = _Interruption()


def interruption_held():
    """A context manager for starting what an interruption must end: one that arrives inside is raised at the end."""
    return _interruption.held()


class Failed(Exception):
    """The process ended although it should be running; the message contains the end of its output."""


class Unavailable(Exception):
    """Something is unavailable on this machine, such as a program or a network namespace; the message says why."""


def running():
    """(process number, command line) of all processes; each word of a command line ends with a blank."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            yield int(path.split("/")[2]), file.read().replace("\0", " ")


def processes_naming(text):
    """The command lines of all processes that contain this text, such as a directory that should be gone."""
    return [words for _, words in running() if text in words]


class StartsOnEntry:
    """A context manager that starts on entry. One whose start fails or is interrupted leaves nothing behind."""

    def start(self):
        raise NotImplementedError

    def _has_started(self):
        raise NotImplementedError

    def __enter__(self):
        if not self._has_started():
            try:
                self.start()
            except BaseException:
                self.__exit__(*sys.exc_info())  # nothing else would call it
                raise
        return self


class Process:
    """Runs a command in the background; stdout and stderr are collected as lines."""

    def __init__(self, command, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.command = [str(word) for word in command]
        self.log_lines = []
        # A group of its own: Ctrl-C reaches us alone, and we end the children in order.
        self._child = subprocess.Popen(
            self.command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=env, cwd=cwd, text=True, errors="replace", start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            self.log_lines.append(line.rstrip("\n"))

    @property
    def pid(self):
        return self._child.pid

    @property
    def returncode(self):
        """None while it runs."""
        return self._child.poll()

    def log_tail(self, lines=30):
        return "\n".join(self.log_lines[-lines:])

    def wait_http(self, port, path, timeout=30.0):
        """Waits until it answers `path` with 200; Failed if it ends, or after `timeout`."""

        def ready():
            if self.returncode is not None:
                self._reader.join(5)
                raise Failed(f"{self.command[0]} ended with {self.returncode}:\n{self.log_tail()}")
            try:
                return http_get(port, path, timeout=2).status == 200
            except (OSError, http.client.HTTPException):
                return False

        try:
            eventually(ready, timeout, f"{self.command[0]} answering {path}")
        except TimeoutError as error:
            raise Failed(f"{error}\n{self.log_tail()}") from None

    def wait_log(self, text, timeout=10.0):
        """Waits for a line of output that contains `text`, and returns it."""
        return eventually(
            lambda: next((line for line in list(self.log_lines) if text in line), None),
            timeout, f"{text!r} in the output of {self.command[0]}",
        )

    def signal(self, number):
        self._child.send_signal(number)

    def wait(self, timeout=15.0):
        """Waits until it ends by itself; returns its exit status."""
        status = self._child.wait(timeout)
        self._reader.join(5)
        return status

    def terminate(self, timeout=15.0):
        """SIGTERM, and SIGKILL if it does not end; returns the exit status."""
        if self.returncode is None:
            self.signal(signal.SIGTERM)
            try:
                return self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        return self.wait(5)
