"""From a spec to a Keras model with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import keras

from converters.keras_shapes import count_params, shapes_alone
from converters.model_size import MAX_PARAMS, check_params
from mobilekit.architectures import ARCHITECTURES
from mobilekit.architectures.counts import Counts, LayerCost, count, layer_costs
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.core.errors import UsageError
from mobilekit.core.loading import load
from mobilekit.core.model import Architecture, ModelSpec
from mobilekit.local_weights import load_recognized
from mobilekit.weights import KERAS, find_source

# Features before the last layer of the widest published network.
WIDEST = 4096


@dataclass(frozen=True, kw_only=True)
class NetworkCost:
    """What a network costs, and what each of its layers does."""

    counts: Counts
    layers: tuple[LayerCost, ...]


def build_network(
    spec: ModelSpec, weights_file: Path | None = None, *, flavour: Flavour | None = None
) -> keras.Model:
    """Builds the network of `spec` and loads its weights.

    Args:
        spec: What to build; `weights_sha256` is not looked at.
        weights_file: The file of the spec's weights source; None for random weights.
        flavour: Conventions to build by; None for those of the weights source.

    Raises:
        UnknownNameError: If the architecture, or its weights, do not exist.
        UsageError: If a size does not fit the network, or it has no such option.
        WeightsFileError: If the file is not one of this network's weights.
        ConversionError: If its .tflite would pass 2 GB, whatever the recipe.
    """
    row = ARCHITECTURES[spec.architecture]
    source = find_source(spec.architecture, spec.weights)
    _check_options(row, spec)
    flavour = flavour or (source.flavour if source else TENSORFLOW)
    _check_params(row, spec, flavour)
    keras.utils.set_random_seed(spec.seed)
    model = _build(row, spec, flavour)
    if source is not None:
        if weights_file is None:
            raise UsageError(f"{spec.name} with weights {spec.weights!r} needs {source.file}.")
        _load(model, spec, weights_file)
    return model


def _load(model: keras.Model, spec: ModelSpec, path: Path) -> None:
    if spec.weights == KERAS:
        from mobilekit.weights.keras_download import load_published, models_folder

        # Keras keeps hashes of its own files; others, of the same names, it does not know.
        if path.parent == models_folder():
            load_published(model, spec, path)
            return
    load_recognized(model, spec, path)


def shapes_of(spec: ModelSpec, flavour: Flavour) -> keras.Model:
    """The network of `spec` without values: its layers, their names and shapes.

    Raises:
        UsageError: If a size does not fit the network, or it has no such option.
    """
    row = ARCHITECTURES[spec.architecture]
    _check_options(row, spec)
    with shapes_alone():
        return _build(row, spec, flavour)


def count_network(spec: ModelSpec) -> Counts:
    """What the network of `spec` costs; it is built of shapes alone, whatever its size.

    Raises:
        UnknownNameError: If the architecture, or its weights, do not exist.
        UsageError: If a size does not fit the network, or it has no such option.
    """
    with shapes_alone():
        return count(_build_of(spec))


def cost_network(spec: ModelSpec) -> NetworkCost:
    """The same with a row a layer."""
    with shapes_alone():
        model = _build_of(spec)
        return NetworkCost(counts=count(model), layers=tuple(layer_costs(model)))


def _build_of(spec: ModelSpec) -> keras.Model:
    row = ARCHITECTURES[spec.architecture]
    _check_options(row, spec)
    return _build(row, spec, TENSORFLOW)


def _check_options(row: Architecture, spec: ModelSpec) -> None:
    row.chosen(spec.options)
    if spec.alpha != 1 and not row.has_alpha:
        has = ", ".join(option.name for option in row.options) or "none"
        raise UsageError(f"{row.name} has no alpha, so none but 1; its options are: {has}.")
    if min(spec.input_size) < row.min_input_size:
        height, width = spec.input_size
        raise UsageError(
            f"{height}x{width} is too small for the strides of {row.name}; the smallest input that"
            f" works is {row.min_input_size}x{row.min_input_size}."
        )


def _check_params(row: Architecture, spec: ModelSpec, flavour: Flavour) -> None:
    """Counts the parameters of a wide network before they take memory."""
    wide = max(1.0, spec.alpha)
    if row.total_params * wide**2 + spec.classes * WIDEST * wide < MAX_PARAMS / 2:
        return  # counting takes as long as building
    check_params(spec.name, count_params(lambda: _build(row, spec, flavour)))


def _build(row: Architecture, spec: ModelSpec, flavour: Flavour) -> keras.Model:
    width = {"alpha": spec.alpha} if row.has_alpha else {}
    try:
        return cast(
            keras.Model,
            load(row.builder)(
                input_size=spec.input_size,
                classes=spec.classes,
                flavour=flavour,
                target=spec.target,
                **width,
                **spec.options,
            ),
        )
    except ValueError as error:  # Keras: a dimension became zero or negative
        raise UsageError(
            f"{spec.architecture} cannot be built with alpha {spec.alpha}, input size"
            f" {spec.input_size[0]}x{spec.input_size[1]} and {spec.classes} classes:"
            f" {str(error).splitlines()[0]}"
        ) from error
