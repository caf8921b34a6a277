"""From a spec to a Keras model with its weights."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import keras

from converters.keras_shapes import count_params
from converters.model_size import MAX_PARAMS, check_params
from mobilekit.architectures import ARCHITECTURES, blocks
from mobilekit.core.errors import UsageError
from mobilekit.core.loading import load
from mobilekit.core.model import ModelSpec
from mobilekit.weights import WeightSource, find_source
from mobilekit.weights.mapping import load_torch_weights

# Features before the last layer of the widest published network.
WIDEST = 4096


def build_network(spec: ModelSpec, weights_file: Path | None = None) -> keras.Model:
    """Builds the network of `spec` and loads its weights.

    Args:
        spec: What to build; `weights_sha256` is not looked at.
        weights_file: The file of the spec's weights source; None for random weights.

    Raises:
        UnknownNameError: If the architecture, or its weights, do not exist.
        UsageError: If a size does not fit the network.
        WeightsFileError: If the file is not one of this network's weights.
        ConversionError: If its .tflite would pass 2 GB, whatever the recipe.
    """
    source = find_source(spec.architecture, spec.weights)
    _check_size(spec, source)
    keras.utils.set_random_seed(spec.seed)
    model = _build(spec, source)
    if source is not None:
        if weights_file is None:
            raise UsageError(f"{spec.name} with weights {spec.weights!r} needs {source.file}.")
        load_torch_weights(model, source, weights_file)
    return model


def _check_size(spec: ModelSpec, source: WeightSource | None) -> None:
    """Counts the parameters of a wide network before they take memory."""
    published = ARCHITECTURES[spec.architecture].total_params
    wide = max(1.0, spec.alpha)
    if published * wide**2 + spec.classes * WIDEST * wide < MAX_PARAMS / 2:
        return  # counting takes as long as building
    check_params(spec.name, count_params(lambda: _build(spec, source)))


def _build(spec: ModelSpec, source: WeightSource | None) -> keras.Model:
    builder = load(ARCHITECTURES[spec.architecture].builder)
    flavour = getattr(blocks, source.flavour) if source else blocks.TENSORFLOW
    try:
        return cast(
            keras.Model,
            builder(
                input_size=spec.input_size,
                classes=spec.classes,
                alpha=spec.alpha,
                flavour=flavour,
            ),
        )
    except ValueError as error:  # Keras: a dimension became zero or negative
        raise UsageError(
            f"{spec.architecture} cannot be built with alpha {spec.alpha}, input size"
            f" {spec.input_size[0]}x{spec.input_size[1]} and {spec.classes} classes:"
            f" {str(error).splitlines()[0]}"
        ) from error
