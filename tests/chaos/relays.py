"""Paths that misbehave, many at a time: TCP relays on one event loop in a thread of its own."""

import asyncio
import contextlib
import dataclasses
import socket
import struct
import threading

from tests.support.process import free_port

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclasses.dataclass
class Path:
    """What a relay does to connections; times in seconds."""

    lifetime: float | None = None  # connections are closed at this age
    forgets_after: float | None = None  # one silent for longer is reset by its next packet
    pauses: list[tuple[float, float]] = dataclasses.field(default_factory=list)  # (begin, duration)
    # The same, but each packet of an old or new connection is answered with a reset.
    rejects: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    moves_at: float | None = None  # then it ends all, and leads to the other server from then on
    moves_by_reset: bool = False


class Relays:
    """Listeners on loopback that relay to servers. A context manager."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays")
        self._all = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        async def cancel_all():
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._run(cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def add(self, path, server_port, other_port=None):
        """Starts a relay; returns the port to connect to."""
        relay = _Relay(path, server_port, other_port)
        self._run(relay.listen())
        self._all.append(relay)
        return relay.port

    def begin_now(self):
        """Pauses and the like are timed from now on."""

        async def begin():
            for relay in self._all:
                relay.begin_now()

        self._run(begin())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


class _Relay:
    def __init__(self, path, destination, other):
        self.path = path
        # Nobody else gets it while it does not listen, nor does a client meet itself there.
        self.port = free_port()
        self._destination, self._other = destination, other
        self._listener = None
        self._flows = set()
        self._begin = None
        self._tasks = []

    async def listen(self):
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def begin_now(self):
        self._begin = asyncio.get_running_loop().time()
        if self.path.moves_at is not None:
            self._tasks.append(asyncio.ensure_future(self._move()))
        for begin, duration in self.path.rejects:
            self._tasks.append(asyncio.ensure_future(self._refuse(begin, duration)))

    async def _until(self, moment):
        await asyncio.sleep(self._begin + moment - asyncio.get_running_loop().time())

    async def _move(self):
        await self._until(self.path.moves_at)
        self._destination = self._other
        for flow in list(self._flows):
            flow.end(by_reset=self.path.moves_by_reset)

    async def _refuse(self, begin, duration):
        await self._until(begin)
        self._listener.close()
        await self._until(begin + duration)
        await self.listen()

    def _left(self, windows):
        """Seconds until the end of the window that is open; None: there is none."""
        if self._begin is not None:
            now = asyncio.get_running_loop().time() - self._begin
            for begin, duration in windows:
                if begin <= now < begin + duration:
                    return begin + duration - now
        return None

    async def resume(self):
        """Waits until the path is not paused."""
        while left := self._left(self.path.pauses):
            await asyncio.sleep(left)

    def rejects(self):
        return self._left(self.path.rejects) is not None

    async def _serve(self, reader, writer):
        accepted = asyncio.get_running_loop().time()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self.resume()
            upstream = await asyncio.open_connection("127.0.0.1", self._destination)
            flow = _Flow(self, (reader, writer), upstream)
            left = None
            if self.path.lifetime is not None:
                left = accepted + self.path.lifetime - asyncio.get_running_loop().time()
            self._flows.add(flow)
            try:
                await asyncio.wait_for(flow.run(), left)
            except asyncio.TimeoutError:
                pass
            finally:
                self._flows.discard(flow)
                upstream[1].close()
        writer.close()


class _Flow:
    def __init__(self, relay, client, server):
        self._relay = relay
        self._client, self._server = client, server
        self._last = asyncio.get_running_loop().time()
        self._ways = []

    async def run(self):
        self._ways = [
            asyncio.ensure_future(self._copy(self._client[0], self._server[1])),
            asyncio.ensure_future(self._copy(self._server[0], self._client[1])),
        ]
        try:
            await asyncio.wait(self._ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._cancel()
            await asyncio.gather(*self._ways, return_exceptions=True)

    def end(self, by_reset):
        if by_reset:
            self._reset()
        self._cancel()

    def _cancel(self):
        for way in self._ways:
            way.cancel()

    async def _copy(self, reader, writer):
        while data := await reader.read(65536):
            await self._relay.resume()
            now = asyncio.get_running_loop().time()
            limit = self._relay.path.forgets_after
            if self._relay.rejects() or (limit is not None and now - self._last > limit):
                self._reset()
                return
            self._last = now
            writer.write(data)
            await writer.drain()

    def _reset(self):
        writer = self._client[1]
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        writer.transport.abort()
