"""A .keras file with what is known of it beside it: its spec and what its input expects."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import StorageError, UsageError
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, storage_errors, write_json

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class KerasFile:
    """The sidecar net.keras.json.

    Attributes:
        sha256: Of the .keras file.
        spec: What it was built from; None for one from elsewhere.
        preprocessing: What its input expects.
        schema: Of this document.
    """

    sha256: str
    spec: ModelSpec | None
    preprocessing: Preprocessing
    schema: int = 1


def save_network(path: Path, model: keras.Model, spec: ModelSpec, expects: Preprocessing) -> None:
    """Writes the model and its sidecar, or leaves what was there.

    Raises:
        UsageError: If the name does not end in .keras.
        StorageError: If it cannot be written.
    """
    if path.suffix != ".keras":
        raise UsageError(f"{path} must end in .keras, the format that it is written in.")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as aside:
            written = Path(aside) / path.name
            model.save(written)
            # Keras closes the archive without asking whether all of it reached the disk.
            with written.open("rb+") as file:
                os.fsync(file.fileno())
            sidecar(path).unlink(missing_ok=True)
            os.replace(written, path)
    write_json(sidecar(path), KerasFile(sha256=sha256_file(path), spec=spec, preprocessing=expects))


def read_keras_sidecar(path: Path) -> KerasFile | None:
    """What is known of a .keras file; None if nobody wrote it down.

    Raises:
        StorageError: If the sidecar is broken or speaks of another file.
    """
    if not sidecar(path).exists():
        return None
    try:
        known = from_json(KerasFile, read_json(sidecar(path)), ignore_unknown=True)
    except RecordError as error:
        raise StorageError(str(sidecar(path)), f"is no description of a model ({error})") from error
    if known.sha256 != sha256_file(path):
        raise StorageError(
            str(sidecar(path)), f"speaks of other bytes than {path.name} has; build it again"
        )
    return known


def sidecar(path: Path) -> Path:
    """net.keras -> net.keras.json."""
    return path.with_name(path.name + ".json")
