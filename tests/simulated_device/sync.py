"""The service `sync:`: STAT, STA2, LST2, LIST, LIS2, SEND and RECV (Android's SYNC.TXT)."""

from __future__ import annotations

import errno
import os
import struct

from tests.simulated_device.jail import Jail
from tests.simulated_device.transport import Closed, Stream

REQUEST = struct.Struct("<4sI")
STAT_1 = struct.Struct("<3I")
STAT_2 = struct.Struct("<I2Q4IQ3q")
BLOCK_BYTES = 1 << 16


class Refused(Exception):
    """What the phone answers with FAIL."""


class Sync:
    """Moves files in and out of the jail."""

    def __init__(self, jail: Jail) -> None:
        self._jail = jail

    async def run(self, stream: Stream) -> None:
        """Answers requests until the host quits."""
        while True:
            request, length = REQUEST.unpack(await stream.read(REQUEST.size))
            if request == b"QUIT":
                return
            path = os.fsdecode(await stream.read(length))
            try:
                await self._answer(stream, request, path)
            except (Refused, OSError) as refused:
                if isinstance(refused, ConnectionError):
                    raise
                text = str(refused.strerror if isinstance(refused, OSError) else refused).encode()
                await stream.write(REQUEST.pack(b"FAIL", len(text)) + text)
                if request == b"SEND":
                    return  # what follows in the stream is the rest of the file

    async def _answer(self, stream: Stream, request: bytes, path: str) -> None:
        match request:
            case b"STAT":
                found = self._stat(path, follow=False)
                await stream.write(b"STAT" + _stat_1(found))
            case b"STA2" | b"LST2":
                await stream.write(request + self._stat_2(path, follow=request == b"STA2"))
            case b"LIST" | b"LIS2":
                await self._list(stream, path, second=request == b"LIS2")
            case b"SEND":
                await self._receive(stream, path)
            case b"RECV":
                await self._send(stream, path)
            case _:
                raise Refused(f"unknown command {request!r}")

    def _stat(self, path: str, *, follow: bool) -> os.stat_result | None:
        try:
            return os.stat(self._jail.path(path), follow_symlinks=follow)
        except OSError:
            return None

    def _stat_2(self, path: str, *, follow: bool) -> bytes:
        try:
            s = os.stat(self._jail.path(path), follow_symlinks=follow)
        except OSError as error:
            return STAT_2.pack(error.errno or errno.EIO, *[0] * 10)
        times = (int(s.st_atime), int(s.st_mtime), int(s.st_ctime))
        # Owner and group of the shell's user.
        return STAT_2.pack(
            0, s.st_dev, s.st_ino, s.st_mode, s.st_nlink, 2000, 2000, s.st_size, *times
        )

    async def _list(self, stream: Stream, path: str, *, second: bool) -> None:
        folder = self._jail.path(path)
        for name in sorted(os.listdir(folder)) if folder.is_dir() else []:
            below = f"{path}/{name}"
            stat = (
                b"DNT2" + self._stat_2(below, follow=False)
                if second
                else b"DENT" + _stat_1(self._stat(below, follow=False))
            )
            encoded = os.fsencode(name)
            await stream.write(stat + struct.pack("<I", len(encoded)) + encoded)
        await stream.write(b"DONE" + bytes((STAT_2 if second else STAT_1).size + 4))

    async def _receive(self, stream: Stream, request: str) -> None:
        path, _, mode = request.rpartition(",")
        faults, target, moved = stream.link.faults, self._jail.path(path), 0
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(os.devnull if faults.lose_push else target, "wb") as file:
            while True:
                kind, length = REQUEST.unpack(await stream.read(REQUEST.size))
                if kind == b"DONE":
                    break
                data = await stream.read(length)
                moved += length
                if faults.due("drop_push_after", moved):
                    stream.link.drop()
                    raise Closed
                if faults.full or (faults.full_after is not None and moved > faults.full_after):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                file.write(_damaged(data) if faults.damage_push else data)
        if not faults.lose_push:
            target.chmod(int(mode) & 0o777)
            os.utime(target, (length, length))
        await stream.write(REQUEST.pack(b"OKAY", 0))

    async def _send(self, stream: Stream, path: str) -> None:
        source, faults, moved = self._jail.path(path), stream.link.faults, 0
        if source.is_dir():
            raise Refused("Is a directory")
        with source.open("rb") as file:
            while data := file.read(BLOCK_BYTES):
                moved += len(data)
                if faults.due("drop_pull_after", moved):
                    stream.link.drop()
                    raise Closed
                sent = _damaged(data) if faults.damage_pull else data
                await stream.write(REQUEST.pack(b"DATA", len(sent)) + sent)
        await stream.write(REQUEST.pack(b"DONE", 0))


def _damaged(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _stat_1(found: os.stat_result | None) -> bytes:
    values = (found.st_mode, found.st_size, int(found.st_mtime)) if found else (0, 0, 0)
    return STAT_1.pack(*(value & 0xFFFF_FFFF for value in values))
