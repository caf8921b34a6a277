"""The services that run commands: `shell:` (one stream), `shell,v2:` (packets), `exec:` (raw)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import subprocess
from typing import IO

from tests.simulated_device.jail import Jail
from tests.simulated_device.transport import Closed, Stream

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
PACKET = struct.Struct("<BI")
READ_BYTES = 1 << 16
REAP_S = 0.002


class Shells:
    """Starts commands in the jail and remembers them, so that none outlives the phone."""

    def __init__(self, jail: Jail) -> None:
        self._jail = jail
        self._started: list[subprocess.Popen[bytes]] = []

    async def run(self, stream: Stream, command: str, *, packets: bool) -> None:
        """Runs one command and sends what it writes; `packets` is the second protocol."""
        process = self._start(command, merged=not packets)
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


class _Counted:
    """Writes to the stream; breaks the connection where the phone is told to."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._bytes = stream, 0

    async def write(self, data: bytes) -> None:
        link = self._stream.link
        self._bytes += len(data)
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
