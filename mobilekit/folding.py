"""A network whose input scaling is part of its first convolution, so that it takes raw pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from converters.answers import Sample
from converters.folded_scaling import fold_scaling, scaled
from mobilekit.conversion import Network
from mobilekit.core.digest import digest
from mobilekit.core.errors import UsageError
from mobilekit.core.preprocessing import RAW_MEAN, RAW_STD, Preprocessing
from mobilekit.float_models import FloatModel, keras_float_model


class FoldedFloatModel:
    """Another model that takes raw pixels: the scaling is part of its first convolution.

    Args:
        model: What is fed with scaled pixels.
        expects: How it is.
        name: What sentences call it.
    """

    def __init__(self, model: FloatModel, expects: Preprocessing, name: str) -> None:
        self._model, self._expects, self._name = model, expects, name
        self.layers, self.input_shapes = model.layers, model.input_shapes

    def float_file(self) -> bytes:
        """The other's, with the scaling folded."""
        return fold_scaling(self._model.float_file(), self._expects, self._name)

    def quantized_by_converter(self, weights: str) -> bytes:
        """Refused: the converter begins with the model, not with a file."""
        raise UsageError(
            "TFLiteConverter quantizes weights alone only while it converts a Keras model, into"
            " which nothing was folded; leave out --quantizer or --fold-preprocessing."
        )

    def answers(self, sample: Sample) -> list[np.ndarray]:
        """Asks the other, with the sample scaled."""
        return self._model.answers(scaled(sample, self._expects))


def fold_preprocessing(network: Network) -> Network:
    """The network with its input scaling inside: its files take pixels of 0..255.

    Raises:
        UsageError: If nothing says what its input expects.
    """
    if network.folded is not None:
        return network
    expects = network.preprocessing
    if expects is None:
        raise UsageError(
            f"Nothing says which scaling is to be folded into {network.name}. Give --mean and --std"
            " (pixels are 0..255), or leave out --fold-preprocessing."
        )

    def source() -> FloatModel:
        whole = network.source() if network.source else keras_float_model(network.build())
        return FoldedFloatModel(whole, expects, network.name)

    raw = replace(expects, mean=RAW_MEAN, std=RAW_STD)
    return replace(
        network,
        identity=digest([network.identity, "folded", expects]),
        preprocessing=raw,
        source=source,
        folded=expects,
    )
