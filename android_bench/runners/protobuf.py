"""A reader of the protobuf wire format: fields by number, nothing else.

Three messages with a dozen fields are read, whose numbers stand beside their readers; the package
`protobuf` would be a dependency of several MB for that. The bytes come from a device: lengths and
depths are checked before anything is read.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

MOST_BYTES = 16 << 20  # a profile of ten thousand nodes has two
MOST_FIELDS = 1_000_000


class WireError(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a message.

    Attributes:
        number: Its number.
        wire: 0 for a whole number, 1 and 5 for eight and four bytes, 2 for bytes with a length.
        value: The whole number, or the bytes.
    """

    number: int
    wire: int
    value: int | bytes


class Message:
    """The fields of one message, in order."""

    def __init__(self, content: bytes) -> None:
        """Reads all fields of `content`; raises WireError."""
        if len(content) > MOST_BYTES:
            raise WireError(f"it has {len(content)} bytes, more than {MOST_BYTES}")
        self.fields: Sequence[Field] = _fields(content)

    def messages(self, number: int) -> list[Message]:
        """All messages of a field."""
        return [Message(value) for value in self._values(number, 2) if isinstance(value, bytes)]

    def message(self, number: int) -> Message:
        """The message of a field, the last where there are several, empty where there is none."""
        return (self.messages(number) or [Message(b"")])[-1]

    def text(self, number: int) -> str:
        """The text of a field, empty where there is none."""
        for value in reversed(self._values(number, 2)):
            assert isinstance(value, bytes)  # wire type 2
            try:
                return value.decode()
            except UnicodeDecodeError as error:
                raise WireError(f"field {number} is no text") from error
        return ""

    def integer(self, number: int) -> int | None:
        """The signed whole number of a field."""
        for value in reversed(self._values(number, 0)):
            assert isinstance(value, int)  # wire type 0
            return value - (1 << 64) if value >= 1 << 63 else value
        return None

    def real(self, number: int) -> float | None:
        """The float of a field, four bytes; never NaN or infinite."""
        for value in reversed(self._values(number, 5)):
            assert isinstance(value, bytes)  # wire type 5
            (found,) = struct.unpack("<f", value)
            if not math.isfinite(found):
                raise WireError(f"field {number} is {found}")
            return float(found)
        return None

    def _values(self, number: int, wire: int) -> list[int | bytes]:
        found = [field for field in self.fields if field.number == number]
        if any(field.wire != wire for field in found):
            raise WireError(f"field {number} is of another type")
        return [field.value for field in found]


def _fields(content: bytes) -> list[Field]:
    fields, at = [], 0
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if not 1 <= number < 1 << 29:
            raise WireError(f"there is no field {number}")
        value, at = _value(content, at, wire)
        fields.append(Field(number=number, wire=wire, value=value))
        if len(fields) > MOST_FIELDS:
            raise WireError("it has too many fields")
    return fields


def _value(content: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    if wire == 0:
        return _varint(content, at)
    if wire == 2:
        size, at = _varint(content, at)
    elif wire in (1, 5):
        size = 8 if wire == 1 else 4
    else:
        raise WireError(f"there is no wire type {wire} here")
    if size > len(content) - at:
        raise WireError("it is cut short")
    return content[at : at + size], at + size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise WireError("it is cut short")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, at
    raise WireError("it holds a number of more than 64 bits")
