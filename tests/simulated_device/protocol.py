"""The messages of the ADB transport: 24 bytes of header, then data (Android's protocol.txt)."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

HEADER = struct.Struct("<4s5I")
# From this version on neither side computes the checksum of the data.
VERSION = 0x0100_0001
MAX_PAYLOAD = 1 << 20
AUTH_TOKEN = 1


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message; `command` is four capitals."""

    command: bytes
    arg0: int
    arg1: int
    data: bytes = b""

    def encode(self) -> bytes:
        magic = int.from_bytes(self.command, "little") ^ 0xFFFF_FFFF
        return HEADER.pack(self.command, self.arg0, self.arg1, len(self.data), 0, magic) + self.data


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Reads one message; raises IncompleteReadError when the host has gone."""
    command, arg0, arg1, length, _, magic = HEADER.unpack(await reader.readexactly(HEADER.size))
    if magic != int.from_bytes(command, "little") ^ 0xFFFF_FFFF or length > MAX_PAYLOAD:
        raise ConnectionError("the host does not speak the ADB transport")
    return Message(command=command, arg0=arg0, arg1=arg1, data=await reader.readexactly(length))
