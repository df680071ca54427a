"""A network path with a middlebox: client and server, each in a network namespace, and between them
a stateful router that can forget idle flows, reset flows, or fall silent.

The namespaces have no names: they disappear with this process and the last one in them, however these end.
"""

import contextlib
import ctypes
import os
import subprocess

from tests.support.process import Unavailable

CLIENT_ADDRESS = "10.77.1.2"
SERVER_ADDRESS = "10.77.2.2"

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

# A flow belongs to the generation in which it began; raising that makes all older flows unknown.
_RULES = """
flush ruleset
table inet path {{
  chain forward {{
    type filter hook forward priority 0; policy drop;
    {first}
    ct state new tcp flags & (fin | syn | rst | ack) == syn ct mark set {generation} accept
    ct state established,related ct mark {generation} accept
    {strangers}
  }}
}}
"""
_STRANGERS = {"drop": "drop", "reset": "meta l4proto tcp reject with tcp reset"}


class Refused(RuntimeError):
    """A command of iproute2 or nftables failed."""


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _run(*command, text=None):
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    if result.returncode != 0:
        raise Refused(f"{' '.join(command)}: {result.stderr.strip()}")


def _own_namespace():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Namespace:
    """A new network namespace, with its loopback up."""

    def __init__(self):
        outside = _own_namespace()
        try:
            _check(_libc.unshare(_CLONE_NEWNET), "unshare")
            try:
                self._fd = _own_namespace()
                _run("ip", "link", "set", "lo", "up")
            finally:
                _check(_libc.setns(outside, _CLONE_NEWNET), "setns")
        finally:
            os.close(outside)

    @property
    def path(self):
        """Where other processes find it while this one lives."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @contextlib.contextmanager
    def inside(self):
        """Moves this thread in: sockets that it opens and processes that it starts meanwhile stay there."""
        outside = _own_namespace()
        try:
            _check(_libc.setns(self._fd, _CLONE_NEWNET), "setns")
            try:
                yield
            finally:
                _check(_libc.setns(outside, _CLONE_NEWNET), "setns")
        finally:
            os.close(outside)

    def close(self):
        os.close(self._fd)


class Midbox:
    """Client, router and server. A context manager; Unavailable if it cannot be built here.

    The router lets new flows through and forgets one after `forgets_after` seconds (a whole number) of
    silence. It drops packets of flows that it does not know, or answers them with a reset: `strangers`
    is "drop" or "reset".
    """

    network = "10.77.1.0/24"  # the client's

    def __init__(self, forgets_after=3600, strangers="drop"):
        self._forgets_after = forgets_after
        self._strangers = strangers
        self._generation = 1
        self._first = ""
        self._namespaces = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.callback(self._namespaces.close)
            try:
                self.client = self._namespace()
                self._router = self._namespace()
                self.server = self._namespace()
                self._join(self.client, CLIENT_ADDRESS, "10.77.1.1", "to_client")
                self._join(self.server, SERVER_ADDRESS, "10.77.2.1", "to_server")
                self._start_router()
            except (OSError, Refused) as error:  # also a kernel without veth, nf_tables or conntrack
                raise Unavailable(f"no network namespaces can be had: {error}") from error
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self._namespaces.close()

    def _namespace(self):
        namespace = Namespace()
        self._namespaces.callback(namespace.close)
        return namespace

    def _join(self, host, address, gateway, port):
        with host.inside():
            _run("ip", "link", "add", "path", "type", "veth",
                 "peer", "name", port, "netns", self._router.path)
            _run("ip", "address", "add", f"{address}/24", "dev", "path")
            _run("ip", "link", "set", "path", "up")
        with self._router.inside():
            _run("ip", "address", "add", f"{gateway}/24", "dev", port)
            _run("ip", "link", "set", port, "up")
        with host.inside():
            _run("ip", "route", "add", "default", "via", gateway)

    def _start_router(self):
        self._apply()
        with self._router.inside():
            for name, value in (
                ("ipv4/ip_forward", 1),
                # A packet in mid-stream does not make a forgotten flow known again.
                ("netfilter/nf_conntrack_tcp_loose", 0),
                ("netfilter/nf_conntrack_tcp_timeout_established", self._forgets_after),
            ):
                with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as setting:
                    setting.write(str(value))

    def _apply(self):
        rules = _RULES.format(first=self._first, generation=self._generation,
                              strangers=_STRANGERS[self._strangers])
        with self._router.inside():
            _run("nft", "-f", "-", text=rules)

    def forget_all(self):
        """Makes all existing flows unknown; new ones are let through."""
        self._generation += 1
        self._apply()

    def cut(self):
        """From now on nothing passes, and neither side is notified."""
        self._first = "drop"
        self._apply()

    def reset(self):
        """From now on every packet, of old and new flows, is answered with a reset."""
        self._first = _STRANGERS["reset"]
        self._apply()

    def lose(self, percent):
        """From now on this percentage of packets is lost at random in each direction."""
        self._first = f"numgen random mod 100 < {percent} drop"
        self._apply()

    def mend(self):
        self._first = ""
        self._apply()


@contextlib.contextmanager
def far_from(server, **options):
    """Restarts a server behind a Midbox, and gives that Midbox; meanwhile the caller is its client.

    The server must have been started before, where its programs can be downloaded.
    """
    server.stop()
    with Midbox(**options) as midbox:
        with midbox.server.inside():
            server.start(listen_addresses="*")
        server.hba(f"host all all {midbox.network} trust")
        with midbox.client.inside():
            yield midbox
