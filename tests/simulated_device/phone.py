"""The phone: listens, greets hosts, and hands each stream to the service that it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType

from tests.simulated_device.faults import Faults
from tests.simulated_device.jail import Jail
from tests.simulated_device.profile import Profile
from tests.simulated_device.shell import Shells
from tests.simulated_device.sync import Sync
from tests.simulated_device.transport import Link, Stream


class Phone:
    """A simulated phone on a port of this computer; a context manager runs it in a thread."""

    def __init__(self, profile: Profile | None = None) -> None:
        self.profile = profile or Profile()
        self.faults = Faults()
        self.jail = Jail(self.profile)
        self.port = 0
        self._shells, self._sync = Shells(self.jail), Sync(self.jail)
        self._links: set[Link] = set()
        self._stop = asyncio.Event()
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)

    @property
    def address(self) -> str:
        """What `adb connect` takes; adb's serial of it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Phone:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def drop(self) -> None:
        """Pulls the cable of every host, from another thread."""
        assert self._loop is not None
        for link in list(self._links):
            self._loop.call_soon_threadsafe(link.drop)

    async def run(self, port: int = 0) -> None:
        """Serves until stopped; what is left of it is then removed."""
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        try:
            await self._stop.wait()
        finally:
            server.close()
            for link in list(self._links):
                link.drop()
            while self._links:
                await asyncio.sleep(0.01)
            self._shells.end()
            self.jail.remove()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(
            reader,
            writer,
            banner=self.profile.banner(),
            serve=self._serve,
            faults=self.faults,
        )
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    async def _serve(self, stream: Stream, destination: str) -> None:
        name, _, argument = destination.partition(":")
        service, *options = name.split(",")
        self._say_free()
        if service in self.faults.hang:
            await stream.closed.wait()
            return
        await asyncio.sleep(self.faults.slow_s)
        if service in ("shell", "exec") and argument:
            await self._shells.run(stream, argument, packets="v2" in options)
        elif service == "sync":
            await self._sync.run(stream)
        # Anything else is closed, as a daemon does with what it does not know.

    def _say_free(self) -> None:
        path = self.jail.root / "free_kb"
        if self.faults.free_kb is None:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        else:
            path.write_text(str(self.faults.free_kb))
