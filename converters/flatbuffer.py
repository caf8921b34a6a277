"""A flatbuffer's bytes, read only after their place was checked.

Python's flatbuffers follows any offset that a file holds. Here every vtable, offset and length is
held against the file first, so that a hostile file ends in one sentence. Three things bound
what a file can cost: offsets of a flatbuffer point forward only, so there are no cycles; a walk
is as deep as the schema; and each visit is charged, so that a vector which names the same
table a million times is refused and not unfolded.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NoReturn

import numpy as np

from converters.tflite_schema import NUMBERS, TABLES, Field
from mobilekit.core.errors import ModelFileError

# A flatbuffer's own offsets are signed 32-bit numbers at most: nothing it refers to lies beyond.
MAX_FLATBUFFER_BYTES = 2**31
# A visit is charged the bytes that it looks at, a table what its Python object weighs against them.
# No honest file exceeds this: a table and the offset that leads to it take 8 bytes at least, and
# four times that leaves room for shared strings. The cap keeps Python's objects below 400 MB.
CHARGE_PER_BYTE = 4
CHARGE_OF_TABLE = 32
SMALL_FILE_BYTES = 1024
MAX_CHARGE = 2**24

Value = bool | int | float | str | tuple[int | float, ...]

_STRUCTS = {kind: struct.Struct(code) for kind, (code, _) in NUMBERS.items()}
_READ_I32 = struct.Struct("<i").unpack_from
_READ_U32 = struct.Struct("<I").unpack_from
_READ_U16 = struct.Struct("<H").unpack_from
_READ_VTABLE = struct.Struct("<HH").unpack_from


class FlatBuffer:
    """The bytes of one file, and what may still be visited of them."""

    def __init__(self, content: memoryview, name: str) -> None:
        self.content, self.name = content, name
        self._allowed = min(CHARGE_PER_BYTE * (len(content) + SMALL_FILE_BYTES), MAX_CHARGE)

    def root(self, row: str) -> Table:
        """The table that the file begins with, read as `row` of the schema."""
        self.check(0, 4)
        return Table(self, row, _READ_U32(self.content, 0)[0])

    def refuse(self, problem: str) -> NoReturn:
        """Raises the ModelFileError of this file."""
        raise ModelFileError(self.name, problem)

    def check(self, start: int, length: int) -> None:
        """Refuses bytes that are not all inside the file."""
        end = start + length
        if start >= 0 and end <= len(self.content):
            return
        if start < 0:
            self.refuse("it is damaged or hostile: an offset points before its first byte")
        if end > MAX_FLATBUFFER_BYTES:
            self.refuse(
                f"it is damaged or hostile: an offset points to byte {end:,}, which no .tflite has"
            )
        self.refuse(
            f"it is truncated or damaged: it refers to byte {end:,} and ends at byte"
            f" {len(self.content):,}"
        )

    def charge(self, amount: int) -> None:
        """Refuses a file that makes its reader look at far more than it holds."""
        self._allowed -= amount
        if self._allowed < 0:
            self.refuse(
                "it is hostile: it refers to the same bytes over and over, or holds more than"
                " half a million tables"
            )


class Table:
    """One table of the file, whose fields are checked when they are asked for.

    Numbers that are missing are their defaults; other fields that are missing are empty or None.
    Every method raises ModelFileError where the file does not hold what it says it holds.
    """

    __slots__ = ("_end", "_fields", "_file", "_position", "_vtable", "_vtable_end", "row")

    def __init__(self, file: FlatBuffer, row: str, position: int) -> None:
        file.charge(CHARGE_OF_TABLE)
        file.check(position, 4)
        vtable = position - _READ_I32(file.content, position)[0]
        file.check(vtable, 4)
        vtable_bytes, table_bytes = _READ_VTABLE(file.content, vtable)
        if vtable_bytes < 4 or vtable_bytes % 2 or table_bytes < 4:
            file.refuse(f"it is damaged or hostile: the table at byte {position:,} has no layout")
        file.check(vtable, vtable_bytes)
        file.check(position, table_bytes)
        self.row, self._file, self._position = row, file, position
        self._fields: Mapping[str, Field] = TABLES.get(row, {})
        self._vtable, self._vtable_end = vtable, vtable + vtable_bytes
        self._end = position + table_bytes

    def number(self, name: str) -> int:
        """An integer, or the number of an enumeration's value."""
        value = self._scalar(self._fields[name])
        return int(value)

    def text(self, name: str) -> str:
        """A string; what is not UTF-8 or cannot be printed becomes U+FFFD.

        Names are printed in terminals and pages, so control characters end here.
        """
        start, length = self._vector(self._fields[name])
        self._file.charge(length)
        text = bytes(self._file.content[start : start + length]).decode("utf-8", "replace")
        if text.isprintable():
            return text
        return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)

    def numbers(self, name: str) -> tuple[int | float, ...]:
        """A vector of numbers, copied; `array` does not copy."""
        field = self._fields[name]
        start, count = self._vector(field)
        self._file.charge(count * field.width)
        code = NUMBERS[field.kind][0][1]
        return struct.unpack_from(f"<{count}{code}", self._file.content, start) if count else ()

    def integers(self, name: str) -> tuple[int, ...]:
        """A vector of integers, copied."""
        return tuple(int(number) for number in self.numbers(name))

    def array(self, name: str) -> np.ndarray:
        """A vector of numbers as a view of the file."""
        field = self._fields[name]
        start, count = self._vector(field)
        dtype = np.dtype(f"<{field.kind[0]}{field.width}")
        if not count:
            return np.empty(0, dtype)
        return np.frombuffer(self._file.content, dtype, count, start)

    def octets(self, name: str) -> memoryview | None:
        """A vector of bytes as a view of the file; None where it is empty."""
        start, length = self._vector(self._fields[name])
        return self._file.content[start : start + length] if length else None

    def table(self, name: str) -> Table | None:
        """The table behind a field."""
        field = self._fields[name]
        place = self._place(field)
        return Table(self._file, field.kind, self._follow(place)) if place else None

    def tables(self, name: str) -> list[Table]:
        """A vector of tables, in order."""
        field = self._fields[name]
        start, count = self._vector(field)
        places = range(start, start + 4 * count, 4)
        return [Table(self._file, field.kind, self._follow(place)) for place in places]

    def union(self, name: str, row: str) -> Table | None:
        """The table behind a union, read as `row` of the schema."""
        place = self._place(self._fields[name])
        return Table(self._file, row, self._follow(place)) if place else None

    def values(self) -> dict[str, Value]:
        """Every field of an options table by name; enumerations by the names of their values."""
        return {name: self._value(name, field) for name, field in self._fields.items()}

    def _value(self, name: str, field: Field) -> Value:
        if field.vector:
            return self.numbers(name)
        if field.kind == "string":
            return self.text(name)
        value = self._scalar(field)
        if field.names is not None:
            return field.names.get(int(value), f"UNKNOWN_{value}")
        return bool(value) if field.kind == "bool" else value

    def _scalar(self, field: Field) -> int | float:
        place = self._place(field)
        if not place:
            return field.default
        value: int | float = _STRUCTS[field.kind].unpack_from(self._file.content, place)[0]
        return value

    def _place(self, field: Field) -> int:
        """Where the field stands in the file; 0 where the file leaves it out."""
        entry = self._vtable + 4 + 2 * field.slot
        if entry + 2 > self._vtable_end:
            return 0
        offset: int = _READ_U16(self._file.content, entry)[0]
        if not offset:
            return 0
        place = self._position + offset
        if offset < 4 or place + (4 if field.vector else field.width) > self._end:
            self._file.refuse(
                f"it is damaged or hostile: a field of the table at byte {self._position:,}"
                " lies outside the table"
            )
        return place

    def _follow(self, place: int) -> int:
        self._file.check(place, 4)
        offset: int = _READ_U32(self._file.content, place)[0]
        if not offset:
            self._file.refuse(f"it is damaged or hostile: the offset at byte {place:,} is zero")
        return place + offset

    def _vector(self, field: Field) -> tuple[int, int]:
        """Where the first element stands, and how many there are; (0, 0) where there is none."""
        place = self._place(field)
        if not place:
            return 0, 0
        vector = self._follow(place)
        self._file.check(vector, 4)
        count: int = _READ_U32(self._file.content, vector)[0]
        self._file.check(vector + 4, count * (1 if field.kind == "string" else field.width))
        return vector + 4, count
