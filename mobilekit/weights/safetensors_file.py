"""Safetensors files (.safetensors), read without a library: the format is a table before its bytes.

A little-endian uint64 length, that many bytes of JSON (`{name: {dtype, shape, data_offsets}}`, and
`__metadata__`), then the tensors' bytes without gaps. A hundred lines that check every number are
less to trust than a compiled dependency, whose numpy side does not know bfloat16 anyway.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobilekit.core.errors import WeightsFileError

# The format's own limit for its table, so that no length makes a reader allocate what it says.
MAX_HEADER_BYTES = 100_000_000
MAX_DIMENSIONS = 32
METADATA = "__metadata__"

# numpy's names, all little-endian; bfloat16 is the upper half of a float32.
DTYPES: Mapping[str, str] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}


class _DamagedError(Exception):
    """What is wrong with the file, without a full stop."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Reads all tensors of a file.

    Returns:
        Read-only arrays by name, in the order of the file's table; float16 and bfloat16 become
        float32, which holds them exactly.

    Raises:
        WeightsFileError: If the file cannot be read, is truncated or foreign, or holds an element
            type that is not known here.
    """
    try:
        # Opening a pipe could wait for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise _DamagedError("it is not a regular file")
        return _tensors(path.read_bytes())
    except OSError as error:
        problem = f"it cannot be read ({error.strerror or error})"
        raise WeightsFileError(str(path), problem) from error
    except _DamagedError as error:
        raise WeightsFileError(str(path), str(error)) from error


def _tensors(content: bytes) -> dict[str, np.ndarray]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(MAX_HEADER_BYTES, len(content) - 8):
        raise _DamagedError("it is truncated, or no safetensors file: its table does not fit in it")
    entries = {name: _entry(name, row) for name, row in _table(content[8 : 8 + length]).items()}
    data = memoryview(content)[8 + length :]
    _check_no_gaps(entries, len(data))
    return {name: _array(entry, data) for name, entry in entries.items()}


def _table(text: bytes) -> dict[str, object]:
    try:
        table = json.loads(text, object_pairs_hook=_without_repeats)
    # Deep nesting ends in a RecursionError, bad UTF-8 in a ValueError like bad JSON.
    except (ValueError, RecursionError) as error:
        raise _DamagedError("its table is no JSON") from error
    if not isinstance(table, dict):
        raise _DamagedError("its table is no JSON object")
    table.pop(METADATA, None)
    if not table:
        raise _DamagedError("it holds no tensors")
    return table


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _entry(name: str, row: object) -> _Entry:
    label = ascii(name)[:100]
    if not isinstance(row, dict) or row.keys() != {"dtype", "shape", "data_offsets"}:
        raise _DamagedError(f"its entry {label} is not of a type, a shape and offsets")
    dtype = row["dtype"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise _DamagedError(
            f"its tensor {label} has elements of type {ascii(dtype)[:30]}; known are"
            f" {', '.join(DTYPES)}"
        )
    shape, offsets = _naturals(row["shape"], label), _naturals(row["data_offsets"], label)
    size_bytes = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    if len(shape) > MAX_DIMENSIONS or len(offsets) != 2 or offsets[1] - offsets[0] != size_bytes:
        raise _DamagedError(f"its tensor {label} has a shape that does not fit its bytes")
    return _Entry(dtype=dtype, shape=shape, begin=offsets[0], end=offsets[1])


def _naturals(value: object, label: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(each) is int and each >= 0 for each in value):
        raise _DamagedError(f"its tensor {label} has a size that is no natural number")
    return tuple(value)


def _check_no_gaps(entries: Mapping[str, _Entry], size_bytes: int) -> None:
    """The tensors have to cover the bytes exactly, each byte once."""
    at = 0
    for begin, end in sorted((entry.begin, entry.end) for entry in entries.values()):
        if begin != at:
            raise _DamagedError("its tensors overlap, or leave a gap between them")
        at = end
    if at != size_bytes:
        raise _DamagedError(f"its tensors need {at:,} bytes, it has {size_bytes:,} of them")


def _array(entry: _Entry, data: memoryview) -> np.ndarray:
    stored = np.frombuffer(data[entry.begin : entry.end], DTYPES[entry.dtype])
    array: np.ndarray = stored.reshape(entry.shape)
    if entry.dtype == "BF16":
        # An array of no dimensions becomes a scalar on the way.
        array = np.asarray(array.astype(np.uint32) << 16).view(np.float32)
    elif entry.dtype == "F16":
        array = array.astype(np.float32)
    array.flags.writeable = False
    return array
