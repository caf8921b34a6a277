"""One connection with a host: many streams over one socket, each message acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.simulated_device.faults import Faults
from tests.simulated_device.protocol import (
    AUTH_TOKEN,
    MAX_PAYLOAD,
    VERSION,
    Message,
    read_message,
)

TOKEN_BYTES = 20


class Closed(ConnectionError):
    """The other side has closed the stream, or the connection is gone."""


class Stream:
    """One service's stream; a write waits until the host has taken it."""

    def __init__(self, link: Link, local: int, remote: int) -> None:
        self.link, self.local, self.remote = link, local, remote
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._buffer = bytearray()
        self._taken = asyncio.Event()
        self._writing = asyncio.Lock()
        self.closed = asyncio.Event()

    async def read(self, count: int) -> bytes:
        """Exactly `count` bytes; raises Closed where the host ends before."""
        while len(self._buffer) < count:
            block = await self._arrived.get()
            if not block:
                raise Closed
            self._buffer += block
            await self._send(b"OKAY")
        block = bytes(self._buffer[:count])
        del self._buffer[:count]
        return block

    async def write(self, data: bytes) -> None:
        """Sends `data`; raises Closed where nobody takes it any more."""
        async with self._writing:
            for start in range(0, len(data), self.link.max_payload):
                await asyncio.sleep(self.link.faults.slow_s)
                self._taken.clear()
                await self._send(b"WRTE", data[start : start + self.link.max_payload])
                await self._taken.wait()
                if self.closed.is_set():
                    raise Closed

    async def close(self) -> None:
        if not self.closed.is_set():
            self.end()
            await self._send(b"CLSE")

    def arrived(self, data: bytes) -> None:
        self._arrived.put_nowait(data)

    def taken(self) -> None:
        self._taken.set()

    def end(self) -> None:
        """Wakes whoever reads or writes."""
        self.closed.set()
        self._taken.set()
        self._arrived.put_nowait(b"")

    async def _send(self, command: bytes, data: bytes = b"") -> None:
        await self.link.send(Message(command=command, arg0=self.local, arg1=self.remote, data=data))


Service = Callable[[Stream, str], Awaitable[None]]


class Link:
    """The connection: greets, opens streams, hands their messages out."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        banner: str,
        serve: Service,
        faults: Faults,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._banner, self._serve, self.faults = banner, serve, faults
        self._streams: dict[int, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.max_payload = MAX_PAYLOAD
        self._ids = 0

    async def run(self) -> None:
        """Serves the host until it goes, or until `drop`."""
        try:
            while True:
                await self._handle(await read_message(self._reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the host has gone, or the cable was pulled
        finally:
            for stream in self._streams.values():
                stream.end()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._writer.close()

    async def send(self, message: Message) -> None:
        if self._writer.is_closing():
            raise Closed
        self._writer.write(message.encode())
        await self._writer.drain()

    def drop(self) -> None:
        """Pulls the cable: what was not sent yet is lost."""
        self._writer.transport.abort()
        self._reader.feed_eof()

    async def _handle(self, message: Message) -> None:
        stream = self._streams.get(message.arg1)
        if message.command in (b"CNXN", b"AUTH"):
            await self._greet(message)
        elif message.command == b"OPEN":
            self._open(message)
        elif stream is None:
            pass  # it was closed meanwhile
        elif message.command == b"OKAY":
            stream.taken()
        elif message.command == b"WRTE":
            stream.arrived(message.data)
        elif message.command == b"CLSE":
            stream.end()

    async def _greet(self, message: Message) -> None:
        if self.faults.unauthorized:  # every answer is refused with another question
            token = bytes(TOKEN_BYTES)
            await self.send(Message(command=b"AUTH", arg0=AUTH_TOKEN, arg1=0, data=token))
            return
        if message.command == b"CNXN":
            self.max_payload = min(MAX_PAYLOAD, message.arg1)
        banner = self._banner.encode()
        await self.send(Message(command=b"CNXN", arg0=VERSION, arg1=MAX_PAYLOAD, data=banner))

    def _open(self, message: Message) -> None:
        self._ids += 1
        stream = Stream(self, self._ids, message.arg0)
        self._streams[stream.local] = stream
        destination = message.data.rstrip(b"\0").decode(errors="surrogateescape")
        task = asyncio.get_running_loop().create_task(self._serve_stream(stream, destination))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve_stream(self, stream: Stream, destination: str) -> None:
        try:
            await stream._send(b"OKAY")
            await self._serve(stream, destination)
            await stream.close()
        except (ConnectionError, OSError):
            pass  # the host has gone; there is nobody to tell
        finally:
            self._streams.pop(stream.local, None)
