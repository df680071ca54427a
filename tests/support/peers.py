"""Peers that are not a healthy PostgreSQL: silent, unreachable, rude, or a relay that can be cut. Loopback only."""

import contextlib
import select
import socket
import struct
import threading
import time


@contextlib.contextmanager
def refusing():
    """A port that nothing listens on, reserved during the block."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def black_hole():
    """A port whose connections are neither accepted nor refused: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class Peer:
    """Accepts connections and hands each to `converse(socket)` in a thread. A context manager."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        self._open = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._lock:
                    self._open.append(connection)
                self.accepted += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, ValueError):  # `cut` closes it while we use it
            self.converse(connection)

    def converse(self, connection):
        """Does nothing in this class."""

    def keep(self, connection):
        """Closes it with the others."""
        with self._lock:
            self._open.append(connection)

    def cut(self):
        """Ends every connection, in both directions."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._open.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


class Rude(Peer):
    """Sends `answer` after the client has sent something, then closes; if empty, closes at once."""

    def __init__(self, answer=b""):
        self._answer = answer
        super().__init__()

    def converse(self, connection):
        if self._answer:
            connection.recv(4096)
            connection.sendall(self._answer)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def message(kind, body):
    """One message of PostgreSQL's protocol."""
    return kind + struct.pack("!i", len(body) + 4) + body


LOGGED_IN = (
    message(b"R", struct.pack("!i", 0))
    + message(b"S", b"server_version\0" + b"18.0\0")
    + message(b"K", struct.pack("!ii", 1, 1))
    + message(b"Z", b"I")
)


class Impostor(Peer):
    """Lets everybody log in like PostgreSQL, then sends `words`; `forever`: again and again."""

    def __init__(self, words, forever=False):
        self._words = words
        self._forever = forever
        super().__init__()

    def converse(self, connection):
        connection.recv(4096)
        connection.sendall(LOGGED_IN)
        connection.recv(4096)
        connection.sendall(self._words)
        while self._forever:
            connection.sendall(self._words)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


class Relay(Peer):
    """Passes bytes on to `port`, like an address that moves between servers."""

    def __init__(self, port):
        self.destination = port
        self.delay = 0  # seconds by which each piece is delayed
        self.lifetime = None  # seconds after which each connection is closed, busy or not
        self._silenced = set()
        self._spoiled = None
        super().__init__()

    def converse(self, connection):
        destination = self.destination
        try:
            onward = socket.create_connection(("127.0.0.1", destination), 10)
        except OSError:
            connection.close()
            return
        self.keep(onward)
        other = {connection: onward, onward: connection}
        end = None if self.lifetime is None else time.monotonic() + self.lifetime
        while True:
            ready = select.select(list(other), [], [], end and max(0, end - time.monotonic()))[0]
            if not ready:
                connection.close()
                onward.close()
                return
            for readable in ready:
                data = readable.recv(65536)
                if destination in self._silenced:
                    continue
                if not data:
                    connection.close()
                    onward.close()
                    return
                time.sleep(self.delay)
                if (readable is onward) == self._spoiled:
                    self._spoiled = None
                    data = data[:-1] + bytes([data[-1] ^ 1])
                other[readable].sendall(data)

    def silence(self):
        """From now on connections to this destination go nowhere, and neither side is notified."""
        self._silenced.add(self.destination)

    def spoil(self, answer):
        """Flips a bit in the next piece: of an answer, or of the data sent to the destination."""
        self._spoiled = answer
