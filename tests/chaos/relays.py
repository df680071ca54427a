"""Paths that misbehave, many at a time: TCP relays on one event loop in a thread of its own."""

import asyncio
import contextlib
import dataclasses
import socket
import struct
import threading

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclasses.dataclass
class Path:
    """What a relay does to connections; times in seconds."""

    lifetime: float | None = None  # connections are closed at this age
    forgets_after: float | None = None  # one silent for longer is reset by its next packet
    pauses: list[tuple[float, float]] = dataclasses.field(default_factory=list)  # (begin, duration)


class Relays:
    """Listeners on loopback that relay to servers. A context manager."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays")
        self._begin = None

    def __enter__(self):
        self._thread.start()
        self._begin = self._loop.time()
        return self

    def __exit__(self, *_):
        async def cancel_all():
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel_all(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def add(self, path, server_port):
        """Starts a relay; returns the port to connect to."""

        async def listen():
            server = await asyncio.start_server(
                lambda reader, writer: self._serve(path, server_port, reader, writer), "127.0.0.1", 0
            )
            return server.sockets[0].getsockname()[1]

        return asyncio.run_coroutine_threadsafe(listen(), self._loop).result(30)

    def begin_now(self):
        """Pauses are timed from now on."""
        self._begin = self._loop.time()

    async def _resume(self, path):
        """Waits until the path is not paused."""
        for begin, duration in path.pauses:
            since = self._loop.time() - self._begin - begin
            if 0 <= since < duration:
                await asyncio.sleep(duration - since)

    async def _serve(self, path, server_port, reader, writer):
        accepted = self._loop.time()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._resume(path)
            upstream = await asyncio.open_connection("127.0.0.1", server_port)
            flow = _Flow(self, path, (reader, writer), upstream)
            left = None if path.lifetime is None else accepted + path.lifetime - self._loop.time()
            try:
                await asyncio.wait_for(flow.run(), left)
            except asyncio.TimeoutError:
                pass
            finally:
                upstream[1].close()
        writer.close()


class _Flow:
    def __init__(self, relays, path, client, server):
        self._relays, self._path = relays, path
        self._client, self._server = client, server
        self._last = relays._loop.time()

    async def run(self):
        ways = [
            asyncio.ensure_future(self._copy(self._client[0], self._server[1])),
            asyncio.ensure_future(self._copy(self._server[0], self._client[1])),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _copy(self, reader, writer):
        while data := await reader.read(65536):
            await self._relays._resume(self._path)
            now = self._relays._loop.time()
            limit = self._path.forgets_after
            if limit is not None and now - self._last > limit:
                self._reset()
                return
            self._last = now
            writer.write(data)
            await writer.drain()

    def _reset(self):
        writer = self._client[1]
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        writer.transport.abort()
