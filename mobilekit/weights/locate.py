"""Finds the file behind the name of a weights source. Nothing is ever downloaded."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.model import ModelSpec
from mobilekit.weights import RANDOM, WEIGHT_SOURCES, find_source

# Where `make data` puts files, in the folder that commands are run in or in the checkout.
DATA = Path("build/data")
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class FoundWeights:
    """A weights source with its file; both None for random weights.

    Attributes:
        name: As the spec has it: "random" or a source.
        path: The file.
    """

    name: str
    path: Path | None

    def complete(self, spec: ModelSpec) -> ModelSpec:
        """`spec` with these weights, named by content."""
        digest = sha256_file(self.path) if self.path else None
        return replace(spec, weights=self.name, weights_sha256=digest)


def find_weights(architecture: str, weights: str) -> FoundWeights:
    """Finds what `weights` means for an architecture.

    Args:
        architecture: A name of the table.
        weights: "random", the name of a source, or the path of a .pth file.

    Raises:
        UnknownNameError: If it is neither a source of this architecture nor a path.
        UsageError: If the file is missing, or nothing here can read its kind.
    """
    if weights == RANDOM:
        return FoundWeights(name=RANDOM, path=None)
    if not is_path(weights):
        source = find_source(architecture, weights)
        assert source is not None  # only "random" has none
        path = data_folder() / "weights" / source.file
        if not path.is_file():
            raise UsageError(
                f"The {weights} weights of {architecture} are not at {path}. `make data` brings"
                " them there; MOBILEKIT_DATA names another data folder."
            )
        return FoundWeights(name=weights, path=path)
    return _find_file(architecture, Path(weights))


def data_folder() -> Path:
    """Where `make data` puts files, or where MOBILEKIT_DATA says."""
    named = os.environ.get("MOBILEKIT_DATA")
    if named is not None:
        return Path(named)
    return DATA if DATA.exists() else CHECKOUT / DATA


def is_path(weights: str) -> bool:
    """Whether `weights` names a file and not a source: it has a suffix or a separator."""
    return "/" in weights or "." in weights


def _find_file(architecture: str, path: Path) -> FoundWeights:
    if not path.is_file():
        raise UsageError(f"There is no weights file {path}.")
    readable = [
        row.name.partition("/")[0]
        for row in WEIGHT_SOURCES.values()
        if row.name.endswith(f"/{architecture}") and path.suffix == Path(row.file).suffix
    ]
    if not readable:
        raise UsageError(
            f"No names of {path.suffix or 'such'} files are known for {architecture}, so"
            f" {path} cannot be loaded into it."
        )
    return FoundWeights(name=readable[0], path=path)
