"""The phone: listens, greets hosts, and hands each stream to the service that it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import uuid
from collections.abc import Callable
from types import TracebackType

from tests.simulated_device.faults import Faults
from tests.simulated_device.jail import Jail
from tests.simulated_device.power import Power
from tests.simulated_device.profile import Profile
from tests.simulated_device.shell import Shells
from tests.simulated_device.sync import Sync
from tests.simulated_device.thermal import Thermal
from tests.simulated_device.transport import Link, Stream

TICK_S = 0.05
RESTART_S = 2.0


class Phone:
    """A simulated phone on a port of this computer; a context manager runs it in a thread.

    What can happen to it - `drop`, `unplug`, `reboot`, `kill_programs`, `stop_programs` - happens
    at once, from whatever thread it is called.
    """

    def __init__(self, profile: Profile | None = None) -> None:
        self.profile = profile or Profile()
        self.faults = Faults()
        self.jail = Jail(self.profile)
        self.thermal = Thermal(self.profile.heat, self.profile.clusters, self.jail.write)
        self.power = Power(self.jail.root, self.jail.write)
        self.port, self.boots = 0, 1
        self._shells, self._sync = Shells(self.jail, self._program_starts), Sync(self.jail)
        self._awaited: list[tuple[int, float, Callable[[], None]]] = []
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._stop = asyncio.Event()
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)
        self._live()

    @property
    def address(self) -> str:
        """What `adb connect` takes; adb's serial of it."""
        return f"127.0.0.1:{self.port}"

    @property
    def boot_id(self) -> str:
        """What it calls the time since it started."""
        return self.jail.path("/proc/sys/kernel/random/boot_id").read_text().strip()

    @property
    def programs_started(self) -> int:
        """How many programs of its storage were started since it was switched on first."""
        return self._shells.programs_started

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
        """Breaks the connection with every host; the next is taken."""
        self._soon(self._drop)

    def unplug(self, for_s: float = RESTART_S) -> None:
        """Takes it away from every host for so many seconds; what runs there goes on."""
        self._soon(lambda: self._leave(for_s))

    def reboot(self, back_after_s: float = RESTART_S) -> None:
        """Ends all that runs there; it is back after so many seconds, its storage as it was."""
        self._soon(lambda: self._restart(back_after_s))

    def programs(self) -> list[int]:
        """Processes of the programs of its storage that run."""
        return [*self._shells.programs()]

    def kill_programs(self) -> None:
        """Ends the programs of its storage, as the killer does when memory is short (SIGKILL)."""
        self._shells.signal_programs(signal.SIGKILL)

    def stop_programs(self) -> None:
        """Lets the programs of its storage hang where they are (SIGSTOP)."""
        self._shells.signal_programs(signal.SIGSTOP)

    def at_program(self, start: int, delay_s: float, action: Callable[[], None]) -> None:
        """Does something `delay_s` after the `start`-th program from now, 1 being the next.

        Without a delay it is done before that begins.
        """
        self._awaited.append((self.programs_started + start, delay_s, action))

    def at_nothing(self) -> None:
        """Forgets what was to be done later."""
        self._awaited.clear()

    async def run(self, port: int = 0) -> None:
        """Serves until stopped; what is left of it is then removed."""
        self._loop = asyncio.get_running_loop()
        self.port = port
        await self._listen()
        self._listening.set()
        living = asyncio.create_task(self._go_on_living())
        try:
            await self._stop.wait()
        finally:
            living.cancel()
            self._hang_up()
            while self._links:
                await asyncio.sleep(0.01)
            self._shells.end()
            self.jail.remove()

    async def _listen(self) -> None:
        if self._server is None and not self._stop.is_set():
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._drop()

    def _drop(self) -> None:
        for link in list(self._links):
            link.drop()

    def _leave(self, for_s: float) -> None:
        self._hang_up()
        assert self._loop is not None
        loop = self._loop
        loop.call_later(for_s, lambda: loop.create_task(self._listen()))

    def _restart(self, back_after_s: float) -> None:
        self._leave(back_after_s)
        self._shells.end()
        self.boots += 1
        self.jail.write("/proc/sys/kernel/random/boot_id", f"{uuid.uuid4()}\n")
        self.power.set_screen(on=True)

    def _soon(self, action: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(action)

    async def _go_on_living(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._live()

    def _live(self) -> None:
        """What time does to it."""
        self.thermal.step(busy=self._shells.busy)
        self.power.step(self.thermal.battery_c)

    def _program_starts(self) -> None:
        self._live()
        loop, count = asyncio.get_running_loop(), self.programs_started
        for row in [row for row in self._awaited if row[0] == count]:
            self._awaited.remove(row)
            if row[1] > 0:
                loop.call_later(row[1], row[2])
            else:
                row[2]()

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
        self._live()
        self._put_flag("free_kb", self.faults.free_kb)
        self._put_flag("clock_offset_s", self.faults.clock_offset_s or None)
        self.set_full(full=self.faults.full)
        if service in self.faults.hang:
            await stream.closed.wait()
            return
        await asyncio.sleep(self.faults.slow_s)
        if service in ("shell", "exec") and argument:
            await self._shells.run(stream, argument, packets="v2" in options)
        elif service == "sync":
            await self._sync.run(stream)
        # Anything else is closed, as a daemon does with what it does not know.

    def set_full(self, *, full: bool) -> None:
        """Fills the storage or makes room, also for what is running."""
        self.faults.full = full
        self._put_flag("full", 1 if full else None)

    def _put_flag(self, name: str, value: int | None) -> None:
        path = self.jail.root / name
        if value is None:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        else:
            path.write_text(str(value))
