"""What float files are made of: a Keras model, or a float .tflite from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from converters.answers import FileAnswers, Sample
from converters.tflite_reader import read_model
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.extras import need

if TYPE_CHECKING:
    import keras


class FloatModel(Protocol):
    """A model before anything is quantized.

    Attributes:
        input_shapes: Of its inputs in order, with the batch; -1 where a dimension is open.
        layers: Names of its Keras layers; empty where nobody knows.
    """

    input_shapes: tuple[tuple[int, ...], ...]
    layers: tuple[str, ...]

    def float_file(self) -> bytes:
        """The float32 .tflite of it, batch 1; raises ConversionError."""

    def answers(self, sample: Sample) -> list[np.ndarray]:
        """Its outputs for one sample, in order."""

    def quantized_by_converter(self, weights: str) -> bytes:
        """TFLiteConverter's own file of "int8" or "float16" weights; raises UsageError."""


class KerasFloatModel:
    """A Keras model in memory.

    Args:
        model: A functional model; a `keras.Sequential` is one.

    Raises:
        ConversionError: If it cannot be converted, whatever the recipe.
    """

    def __init__(self, model: keras.Model) -> None:
        from converters.keras_checks import check_convertible, in_float32, layer_names

        check_convertible(model)
        self.model = in_float32(model)
        self.is_copy = self.model is not model
        # A SavedModel is one layer to Keras; the names inside it are guessed from the file.
        opaque = any(type(layer).__name__ == "TFSMLayer" for layer in self.model.layers)
        self.layers = () if opaque else layer_names(self.model)
        self.input_shapes = tuple((1, *each.shape[1:]) for each in self.model.inputs)

    def float_file(self) -> bytes:
        """Converts it."""
        from converters.freeze import freeze

        return freeze(self.model)

    def quantized_by_converter(self, weights: str) -> bytes:
        """Converts it once more, with TFLiteConverter's own quantization."""
        from converters.freeze import freeze_quantized

        return freeze_quantized(self.model, weights)

    def answers(self, sample: Sample) -> list[np.ndarray]:
        """Asks Keras."""
        import keras

        from converters.keras_checks import as_model_takes

        made = self.model(as_model_takes(self.model, sample), training=False)
        return [np.asarray(output, np.float32) for output in keras.tree.flatten(made)]


class TFLiteFloatModel:
    """A float .tflite, made ready by `converters.foreign_float`."""

    layers: tuple[str, ...] = ()

    def __init__(self, content: bytes, name: str) -> None:
        graph = read_model(content, name).main
        self._content = content
        self._runner: FileAnswers | None = None
        self.input_shapes = tuple(graph.tensors[index].shape for index in graph.inputs)

    def float_file(self) -> bytes:
        """What it is."""
        return self._content

    def quantized_by_converter(self, weights: str) -> bytes:
        """Refused: the converter takes models of TensorFlow alone."""
        raise UsageError(
            "TFLiteConverter quantizes weights alone only while it converts a Keras model, and this"
            " is a .tflite; leave --quantizer out."
        )

    def answers(self, sample: Sample) -> list[np.ndarray]:
        """Asks LiteRT."""
        self._runner = self._runner or FileAnswers(self._content)
        return self._runner.of(sample)


def keras_float_model(model: keras.Model) -> KerasFloatModel:
    """A Keras model, once TensorFlow is there to convert it."""
    need("tensorflow", "keras")
    return KerasFloatModel(model)


def check_finite(outputs: Sequence[np.ndarray], name: str) -> None:
    """Refuses answers that are not numbers.

    Raises:
        ConversionError: If there are any.
    """
    if not all(np.isfinite(output).all() for output in outputs):
        raise ConversionError(
            f"{name} itself answers with values that are not finite: its weights are broken."
        )
