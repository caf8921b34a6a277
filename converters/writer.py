"""Writes a .tflite file with its provenance beside it."""

from __future__ import annotations

from pathlib import Path

from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import StorageError
from mobilekit.core.model import TFLiteModel
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, storage_errors, write_bytes, write_json

# Pillow is among them: its releases resize to slightly other pixels.
PACKAGES = (
    "mobilekit",
    "tensorflow",
    "keras",
    "ai-edge-quantizer",
    "ai-edge-litert",
    "numpy",
    "pillow",
)


def sidecar_path(path: Path) -> Path:
    """Where the provenance of a file stands: net.tflite -> net.tflite.json."""
    return path.with_name(path.name + ".json")


def write_model(path: Path, content: bytes, model: TFLiteModel) -> None:
    """Writes the file, then its sidecar: a file whose sidecar is missing was never finished.

    Raises:
        StorageError: If either cannot be written.
    """
    with storage_errors(path):
        sidecar_path(path).unlink(missing_ok=True)
    write_bytes(path, content)
    write_json(sidecar_path(path), model)


def read_sidecar(path: Path) -> TFLiteModel | None:
    """The provenance of a file; None if nobody wrote one.

    Raises:
        StorageError: If the sidecar is broken, or speaks of other bytes than the file has.
    """
    sidecar = sidecar_path(path)
    if not sidecar.exists():
        return None
    try:
        model = from_json(TFLiteModel, read_json(sidecar), ignore_unknown=True)
    except RecordError as error:
        raise StorageError(str(sidecar), f"is no provenance of a model ({error})") from error
    if sha256_file(path) != model.sha256:
        raise StorageError(
            str(sidecar), f"speaks of other bytes than {path.name} has; delete it or convert again"
        )
    return model


def versions() -> dict[str, str]:
    """Versions of the packages that make a file, as far as they are installed."""
    from importlib import metadata  # 25 ms, which those who only read provenance do not have

    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
