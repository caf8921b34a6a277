"""Arrays on disk: .npy files, whole or not there."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from mobilekit.core.errors import StorageError
from mobilekit.core.storage import storage_errors, write_bytes


def write_array(path: Path, array: np.ndarray) -> None:
    """Writes one array; raises StorageError."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def read_array(path: Path) -> np.ndarray:
    """Reads one array, never a pickle.

    Raises:
        StorageError: If the file cannot be read or is no array.
    """
    with storage_errors(path, "read"):
        try:
            return np.load(path, allow_pickle=False)  # type: ignore[no-any-return]
        except (ValueError, EOFError) as error:
            raise StorageError(str(path), f"is no .npy array ({error})") from error


def is_array(path: Path) -> bool:
    """Whether there is an array that can be read; what cannot is made again by who made it."""
    if not path.exists():
        return False
    try:
        read_array(path)
    except StorageError:
        return False
    return True
