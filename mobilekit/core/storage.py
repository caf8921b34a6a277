"""Files that are whole or not there: written aside, synced, renamed."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mobilekit.core.errors import StorageError
from mobilekit.core.records import to_json

UMASK = threading.Lock()


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, or leaves what was there.

    Raises:
        StorageError: If the folder cannot be made or written, or is full.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(aside, 0o666 & ~_umask())  # mkstemp makes files that only the owner can read
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 `text` to `path`, or leaves what was there; raises StorageError."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Writes a record as indented JSON with sorted keys; raises StorageError."""
    document = json.dumps(
        to_json(value), sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False
    )
    write_text(path, document + "\n")


def append_line(path: Path, line: str) -> None:
    """Appends one line and syncs it, so that a kill loses nothing that came before.

    A last line that a killed writer left half done is closed first; readers drop it.

    Raises:
        StorageError: If the file cannot be written or the disk is full; it is then as it was.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            torn = False
            if end:
                file.seek(end - 1)
                torn = file.read(1) != b"\n"
            content = (b"\n" if torn else b"") + line.encode() + b"\n"
            try:
                written = file.write(content)
                while written < len(content):
                    written += file.write(content[written:])
                os.fsync(file.fileno())
            except OSError:
                os.truncate(file.fileno(), end)
                raise


def read_text(path: Path) -> str:
    """Reads a UTF-8 file.

    Raises:
        StorageError: If it cannot be read or is not text.
    """
    with storage_errors(path, "read"):
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise StorageError(str(path), f"is not UTF-8 text (byte {error.start})") from error


def read_json(path: Path) -> Any:
    """Reads a JSON file; NaN and infinities, which JSON does not have, are refused.

    Raises:
        StorageError: If it cannot be read or is not JSON.
    """
    try:
        return parse_json(read_text(path))
    except ValueError as error:
        raise StorageError(
            str(path), f"is not JSON ({error}); delete it to have it made again"
        ) from error


def parse_json(text: str) -> Any:
    """`json.loads` without NaN and infinities and without endless nesting; raises ValueError."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


@contextmanager
def storage_errors(path: Path, verb: str = "written") -> Iterator[None]:
    """Translates the operating system's refusals into a `StorageError` about `path`."""
    try:
        yield
    except OSError as error:
        raise StorageError(str(path), f"cannot be {verb} ({error.strerror or error})") from error


def _umask() -> int:
    with UMASK:  # it can only be read by setting it, and there is one for all threads
        current = os.umask(0)
        os.umask(current)
    return current
