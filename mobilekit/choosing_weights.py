"""What `--weights` means for a network: a source, its file, and what both ask of the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.extras import need
from mobilekit.weights import (
    CLASSES,
    KERAS,
    OWN,
    RANDOM,
    WeightSource,
    find_source,
    preprocessing_for,
)
from mobilekit.weights.locate import find_file, is_path


@dataclass(frozen=True, kw_only=True)
class ChosenWeights:
    """Weights and the network that they need.

    Attributes:
        spec: With the weights named by content, and the options that they need.
        path: Their file; None for random weights.
        preprocessing: What they were trained with.
    """

    spec: ModelSpec
    path: Path | None
    preprocessing: Preprocessing


def choose_weights(
    spec: ModelSpec, weights: str, asked: Mapping[str, str] | None = None
) -> ChosenWeights:
    """Finds what `weights` means for a network.

    Args:
        spec: The network, with random weights.
        weights: "random", "keras", the name of another source, or the path of a file.
        asked: Options that were asked for by name, the usual ones too; None takes the spec's.

    Raises:
        UnknownNameError: If it is neither a source of this architecture nor a path.
        UsageError: If the file is missing, or the network that was asked for is another than the
            one that the weights are of.
        WeightsFileError: If a file is damaged, or of another network.
        ModelFileError: If a file of a whole Keras model is.
    """
    if weights == RANDOM:
        return ChosenWeights(spec=spec, path=None, preprocessing=_expected(spec))
    asked = spec.options if asked is None else asked
    if is_path(weights):
        return _local(spec, Path(weights), asked)
    source = find_source(spec.architecture, weights)
    assert source is not None  # only "random" has none
    if weights == OWN:
        raise UsageError(f"{OWN!r} are weights of a file; give its path.")
    _check_classes(spec, weights, CLASSES)
    spec = _with_options(spec, source, asked)
    path = _keras_file(spec) if weights == KERAS else find_file(source, spec)
    return _chosen(spec, weights, path)


def _local(spec: ModelSpec, path: Path, asked: Mapping[str, str]) -> ChosenWeights:
    need("tensorflow", "keras")
    from mobilekit.local_weights import recognize

    found = recognize(spec, path)
    _check_classes(spec, str(path), found.classes)
    if found.preprocessing is None:  # else it was built here, with the options of the spec
        spec = _with_options(spec, found.source, asked)
    chosen = _chosen(spec, found.kind, path)
    return replace(chosen, preprocessing=found.preprocessing or chosen.preprocessing)


def _chosen(spec: ModelSpec, kind: str, path: Path) -> ChosenWeights:
    spec = replace(spec, weights=kind, weights_sha256=sha256_file(path))
    return ChosenWeights(spec=spec, path=path, preprocessing=_expected(spec))


def _expected(spec: ModelSpec) -> Preprocessing:
    return preprocessing_for(spec.architecture, spec.weights, spec.input_size, spec.alpha)


def _keras_file(spec: ModelSpec) -> Path:
    need("tensorflow", "keras")
    from mobilekit.weights.keras_download import find_keras_weights

    return find_keras_weights(spec)


def _check_classes(spec: ModelSpec, weights: str, classes: int | None) -> None:
    if classes not in (None, spec.classes):
        raise UsageError(
            f"The weights {weights} of {spec.architecture} are for {classes} classes, not for"
            f" {spec.classes}; ask for {classes} classes, or for random weights."
        )


def _with_options(spec: ModelSpec, source: WeightSource, asked: Mapping[str, str]) -> ModelSpec:
    """`spec` with the options that the weights need; others that were asked for are refused."""
    if source.name.startswith(f"{OWN}/"):
        return spec
    row = ARCHITECTURES[spec.architecture]
    needed = {option.name: option.values[0] for option in row.options} | dict(source.options)
    for name, value in asked.items():
        if value != needed[name]:
            raise UsageError(
                f"The {source.name.partition('/')[0]} weights of {spec.architecture} are of"
                f" {name}={needed[name]}, not {name}={value}; leave that option out, or take random"
                " weights."
            )
    return replace(spec, options=row.chosen(needed))
