"""Names made of content: the sha256 of files and of canonical JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mobilekit.core.errors import StorageError
from mobilekit.core.records import to_json


def canonical_json(value: object) -> str:
    """One spelling a value: sorted keys, no spaces, no NaN."""
    return json.dumps(
        to_json(value), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )


def digest(value: object) -> str:
    """The sha256 of `value` as canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """The sha256 of a file's bytes, 64 hex digits.

    Raises:
        StorageError: If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(str(path), f"cannot be read ({error.strerror})") from error


def sha256_sources(*packages: Path) -> str:
    """The sha256 of all Python sources below `packages`: a changed stage is a changed input."""
    total = hashlib.sha256()
    for package in packages:
        for path in sorted(package.rglob("*.py")) if package.is_dir() else [package]:
            name = path.relative_to(package.parent).as_posix()
            total.update(f"{name}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()
