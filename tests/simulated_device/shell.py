"""The services that run commands: `shell:` (one stream), `shell,v2:` (packets), `exec:` (raw)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from tests.simulated_device.jail import Jail
from tests.simulated_device.transport import Closed, Stream

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
PACKET = struct.Struct("<BI")
READ_BYTES = 1 << 16
REAP_S = 0.002
# A program of the phone's storage, or a script with its interpreter, that begins a command.
PROGRAM = re.compile(r"(?:^|[;&|(]) *(?:[\w/.-]*python3? +)?'?/data/local/tmp/\S")
# Nothing of it is ASCII: what adb carries has checksums, so that a digit does not become another.
GARBAGE = random.Random(1)


class Shells:
    """Starts commands in the jail and remembers them, so that none outlives the phone."""

    def __init__(self, jail: Jail, program_starts: Callable[[], None]) -> None:
        """`program_starts` is called before each program of the phone's storage."""
        self._jail, self._program_starts = jail, program_starts
        self._started: list[subprocess.Popen[bytes]] = []
        self._programs: list[subprocess.Popen[bytes]] = []
        self.programs_started = 0

    @property
    def busy(self) -> bool:
        """Whether a program of the phone's storage runs: what else runs takes no time."""
        self._programs = [old for old in self._programs if old.poll() is None]
        return bool(self._programs)

    def signal_programs(self, number: signal.Signals) -> None:
        """Sends a signal to every program of the phone's storage that runs."""
        for process in self.programs():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def programs(self) -> Iterator[int]:
        """Processes whose first words are a path of the storage, the shells around them aside."""
        environment = f"SIMULATED={self._jail.root}\0".encode()
        storage = os.fsencode(self._jail.path("/data/local/tmp"))
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                if environment not in (folder / "environ").read_bytes():
                    continue
                words = (folder / "cmdline").read_bytes().split(b"\0")
                program = (folder / "exe").resolve().name
                if program not in ("dash", "sh", "bash") and any(
                    word.startswith(storage) for word in words[:8]
                ):
                    yield int(folder.name)

    async def run(self, stream: Stream, command: str, *, packets: bool) -> None:
        """Runs one command and sends what it writes; `packets` is the second protocol."""
        is_program = PROGRAM.search(command) is not None
        if is_program:
            self.programs_started += 1
            self._program_starts()
        process = self._start(command, merged=not packets)
        if is_program:
            self._programs.append(process)
        sent = _Counted(stream)
        tasks = [asyncio.create_task(_feed(stream, process, packets=packets))]
        try:
            pumps = [self._pump(process.stdout, sent, STDOUT if packets else None)]
            if packets:
                pumps.append(self._pump(process.stderr, sent, STDERR))
            await _until_closed(stream, asyncio.gather(*pumps))
            while process.poll() is None:
                if stream.closed.is_set():
                    raise Closed
                await asyncio.sleep(REAP_S)
            if packets:
                status = process.returncode
                code = 128 - status if status < 0 else status
                await sent.write(PACKET.pack(EXIT, 1) + bytes([code]))
        except Lost:
            pass
        finally:
            for task in tasks:
                task.cancel()
            if process.poll() is None:  # adbd hangs up on the shell, not on what that started
                process.send_signal(signal.SIGHUP)

    def end(self) -> None:
        """Kills whatever is left, as switching the phone off does."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, command: str, *, merged: bool) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["/bin/sh", "-c", os.fsencode(self._jail.inward(command))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            cwd=self._jail.root,
            env=self._jail.environment(),
            start_new_session=True,
        )
        self._started = [old for old in self._started if old.poll() is None]
        self._started.append(process)
        return process

    async def _pump(self, pipe: IO[bytes] | None, sent: _Counted, packet: int | None) -> None:
        """Sends a pipe to its end, with paths as the phone knows them."""
        assert pipe is not None
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        outward = self._jail.outward()
        try:
            while block := await reader.read(READ_BYTES):
                await sent.write(_packed(packet, outward(block)))
            await sent.write(_packed(packet, outward(b"")))
        finally:
            transport.close()


class Lost(Exception):
    """The rest of the output is lost; the stream is closed as if that had been all."""


class _Counted:
    """Writes to the stream; spoils what is written where the phone is told to."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._bytes = stream, 0

    async def write(self, data: bytes) -> None:
        link = self._stream.link
        self._bytes += len(data)
        if link.faults.due("garble_shell_after", self._bytes):
            kept = min(PACKET.size, len(data))  # the packet itself is adbd's, and whole
            data = data[:kept] + bytes(GARBAGE.randrange(128, 256) for _ in data[kept:])
        if link.faults.due("cut_shell_after", self._bytes):
            raise Lost
        if link.faults.drop_shell_after is not None:
            kept = len(data) - (self._bytes - link.faults.drop_shell_after)
            if link.faults.due("drop_shell_after", self._bytes):
                await self._stream.write(data[: max(0, kept)])
                link.drop()
                raise Closed
        if data:
            await self._stream.write(data)


def _packed(packet: int | None, data: bytes) -> bytes:
    return data if packet is None or not data else PACKET.pack(packet, len(data)) + data


async def _until_closed(stream: Stream, work: asyncio.Future[list[None]]) -> None:
    """Waits for `work`, or raises Closed as soon as the host has closed the stream."""
    closed = asyncio.create_task(stream.closed.wait())
    work.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.wait({work, closed}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            raise Closed
        work.result()
    finally:
        closed.cancel()
        work.cancel()


async def _feed(stream: Stream, process: subprocess.Popen[bytes], *, packets: bool) -> None:
    """Hands the host's input on; whatever ends it closes the command's standard input."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError), process.stdin as stdin:
        while packets:
            kind, length = PACKET.unpack(await stream.read(PACKET.size))
            data = await stream.read(length)
            if kind == CLOSE_STDIN:
                break
            if kind == STDIN:
                await asyncio.to_thread(_write, stdin, data)


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(data)
    pipe.flush()
