"""Hashes serials with a secret that stays on this computer.

Results that are shared must not tell a phone's serial, and a plain hash of a short serial could be
guessed: without the secret it cannot.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from android_bench.folders import config_dir
from mobilekit.core.errors import StorageError
from mobilekit.core.storage import storage_errors

SECRET_BYTES = 32


def serial_hash(serial: str) -> str:
    """HMAC-SHA256 of a serial, 64 hex digits; equal on this computer and account only.

    Raises:
        StorageError: If the secret cannot be made or read.
    """
    return hmac.new(_secret(config_dir() / "secret"), serial.encode(), hashlib.sha256).hexdigest()


def _secret(path: Path) -> bytes:
    if not path.exists():
        _create(path)
    with storage_errors(path, "read"):
        secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise StorageError(
            str(path), "is not the secret that mobilekit wrote; delete it to have a new one made"
        )
    return secret


def _create(path: Path) -> None:
    """Writes a new secret, for the owner alone; of two that do it at once, the first wins."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(aside, path)
        except FileExistsError:
            pass  # another process made it meanwhile; its secret is used
        finally:
            aside.unlink(missing_ok=True)
