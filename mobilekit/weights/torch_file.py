"""PyTorch weights files (.pth), read without PyTorch and without running anything of them.

Two formats exist. Since PyTorch 1.6 a file is a zip archive of stored (not compressed) entries:
`<root>/data.pkl`, the pickle, and `<root>/data/<key>`, one storage each. Before, it is a stream:
five pickles (MAGIC, PROTOCOL, the writer's machine, the object, the storage keys), then every
storage as a little-endian int64 count of elements and the elements. Source: torch/serialization.py.
"""

from __future__ import annotations

import io
import math
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mobilekit.core.errors import WeightsFileError
from mobilekit.weights.tensor_pickle import (
    STORAGE_DTYPES,
    RefusedGlobalError,
    RefusedPickleError,
    Storage,
    StoredTensor,
    printable,
    run,
)

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

# Tied weights are stored once and named several times. More than this is an attempt to fill memory.
MAX_SHARING = 4


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """Reads a state_dict, or the "state_dict" of a checkpoint.

    Returns:
        Read-only arrays by name, in the file's order, with the file's element types; bfloat16
        becomes float32, which holds it exactly.

    Raises:
        WeightsFileError: If the file cannot be read, is truncated or foreign, or holds anything
            but tensors: then nothing of it was run.
    """
    try:
        with _open(path) as file:
            return _read(file)
    except OSError as error:
        raise WeightsFileError(
            str(path), f"it cannot be read ({error.strerror or error})"
        ) from error
    except RefusedPickleError as error:
        raise WeightsFileError(str(path), str(error)) from error


class _BoundedFile(io.BufferedReader):
    """A file whose `read` allocates at most the file's size, whatever a pickle asks it for."""

    def __init__(self, raw: io.FileIO, size_bytes: int) -> None:
        super().__init__(raw)
        self.size_bytes = size_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        whole = size is None or not 0 <= size <= self.size_bytes
        return super().read(self.size_bytes if whole else size)

    def read_exactly(self, size: int) -> bytes:
        content = self.read(size)
        if len(content) != size:
            raise RefusedPickleError("it is truncated")
        return content


@contextmanager
def _open(path: Path) -> Iterator[_BoundedFile]:
    # Opening a pipe or a device could wait for ever, so what it is comes first.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise RefusedPickleError("it is not a regular file")
    with io.FileIO(path) as raw, _BoundedFile(raw, os.fstat(raw.fileno()).st_size) as file:
        yield file


def _read(file: _BoundedFile) -> dict[str, np.ndarray]:
    if not file.size_bytes:
        raise RefusedPickleError("it is empty")
    is_zip = file.peek(4)[:4] == b"PK\x03\x04"
    tensors, content = _read_zip(file) if is_zip else _read_stream(file)
    return {name: _array(tensor, content[tensor.storage.key]) for name, tensor in tensors.items()}


def _read_stream(file: _BoundedFile) -> tuple[dict[str, StoredTensor], dict[str, bytes]]:
    try:
        magic = run(file)
    except RefusedGlobalError:
        raise
    except RefusedPickleError:
        magic = None
    if type(magic) is not int or magic != MAGIC:
        raise RefusedPickleError("it is neither a zip archive nor a stream as PyTorch writes them")
    protocol, machine = run(file), run(file)
    if type(protocol) is not int or protocol != PROTOCOL:
        raise RefusedPickleError(f"its protocol is not {PROTOCOL}, the only one there is")
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise RefusedPickleError("it was not written on a little-endian machine")
    tensors = _state_dict(run(file), file.size_bytes)
    storages = _storages(tensors)
    keys = run(file)
    if not isinstance(keys, list):
        raise RefusedPickleError("its list of storages is no list")
    content: dict[str, bytes] = {}
    for key in keys:
        if not isinstance(key, str) or key not in storages or key in content:
            raise RefusedPickleError("it lists a storage that no tensor uses, or one twice")
        count = int.from_bytes(file.read_exactly(8), "little", signed=True)
        if count != storages[key].count:
            raise RefusedPickleError("a storage has another length than its tensors say")
        content[key] = file.read_exactly(count * storages[key].item_bytes)
    if len(content) != len(storages):
        raise RefusedPickleError(f"it lacks {len(storages) - len(content)} of its storages")
    if file.read(1):
        raise RefusedPickleError("it goes on behind its last storage")
    return tensors, content


def _read_zip(file: _BoundedFile) -> tuple[dict[str, StoredTensor], dict[str, bytes]]:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = _Entries(archive, file.size_bytes)
            tensors = _state_dict(run(io.BytesIO(entries.read("data.pkl"))), file.size_bytes)
            if entries.has("byteorder") and entries.read("byteorder") != b"little":
                raise RefusedPickleError("it was not written on a little-endian machine")
            content = {
                key: entries.read(f"data/{key}", storage.count * storage.item_bytes)
                for key, storage in _storages(tensors).items()
            }
    # zipfile meets a hostile archive with any of these.
    except (
        zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, EOFError, OverflowError
    ) as error:  # fmt: skip
        raise RefusedPickleError(f"its zip archive is damaged ({error})") from error
    return tensors, content


class _Entries:
    """The entries of an archive, read only where they are stored as they are: no bomb fits in."""

    def __init__(self, archive: zipfile.ZipFile, size_bytes: int) -> None:
        self._archive = archive
        self._left_bytes = size_bytes
        self._infos = {info.filename: info for info in archive.infolist()}
        roots = [
            name for name in self._infos if name.count("/") == 1 and name.endswith("/data.pkl")
        ]
        if len(roots) != 1 or len(self._infos) != len(archive.infolist()):
            raise RefusedPickleError("it is a zip archive, but not one that PyTorch wrote")
        self._root = roots[0].removesuffix("data.pkl")

    def has(self, name: str) -> bool:
        return self._root + name in self._infos

    def read(self, name: str, size_bytes: int | None = None) -> bytes:
        """Reads an entry, which must have `size_bytes` if that is given."""
        info = self._infos.get(self._root + name)
        if info is None:
            raise RefusedPickleError(f"its entry {name} is missing")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise RefusedPickleError(f"its entry {name} is compressed, which PyTorch does not do")
        if info.flag_bits & 1:
            raise RefusedPickleError(f"its entry {name} is encrypted")
        # Entries that overlap would add up to more than the file has.
        self._left_bytes -= info.file_size
        if self._left_bytes < 0 or size_bytes not in (None, info.file_size):
            raise RefusedPickleError(f"its entry {name} has an impossible size")
        return self._archive.read(info)


def _state_dict(top: object, size_bytes: int) -> dict[str, StoredTensor]:
    """The tensors by name; a checkpoint's other entries (epoch, optimizer) are left alone."""
    if isinstance(top, dict) and isinstance(top.get("state_dict"), dict):
        top = top["state_dict"]
    if not isinstance(top, dict):
        raise RefusedPickleError(f"it holds a {type(top).__name__}, not a state_dict")
    tensors: dict[str, StoredTensor] = {}
    for name, value in top.items():
        if not isinstance(name, str) or not isinstance(value, StoredTensor):
            raise RefusedPickleError(
                f"its entry '{printable(name)}' is no tensor but of type {type(value).__name__};"
                " what is needed is a state_dict, alone or as the entry 'state_dict'"
            )
        tensors[name] = value
    if not tensors:
        raise RefusedPickleError("it holds no tensors")
    total = sum(math.prod(t.shape) * t.storage.item_bytes for t in tensors.values())
    if total > MAX_SHARING * size_bytes:
        raise RefusedPickleError(f"its tensors claim {total:,} bytes, the file has {size_bytes:,}")
    return tensors


def _storages(tensors: Mapping[str, StoredTensor]) -> dict[str, Storage]:
    storages: dict[str, Storage] = {}
    for tensor in tensors.values():
        storage = tensor.storage
        if storages.setdefault(storage.key, storage) != storage:
            raise RefusedPickleError("two of its tensors disagree about their common storage")
    return storages


def _array(tensor: StoredTensor, content: bytes) -> np.ndarray:
    dtype = np.dtype(STORAGE_DTYPES[tensor.storage.kind])
    if 0 in tensor.shape:
        view: np.ndarray = np.zeros(tensor.shape, dtype)
    else:
        # A dimension of one is never stepped along, so its stride may be any number.
        strides = [
            step * dtype.itemsize if size > 1 else 0
            for size, step in zip(tensor.shape, tensor.strides, strict=True)
        ]
        view = np.ndarray(
            tensor.shape, dtype, content, tensor.offset * dtype.itemsize, tuple(strides)
        )
    array: np.ndarray = view if view.flags.c_contiguous else view.copy()
    if tensor.storage.kind == "BoolStorage":
        array = np.asarray(view != 0)
    elif tensor.storage.kind == "BFloat16Storage":
        array = np.asarray(view.astype(np.uint32) << 16).view(np.float32)
    array.flags.writeable = False
    return array
