"""TFLiteConverter's own quantizer on a float file: what others make, to hold ours against.

Its calibrator and its quantizer are called as TFLiteConverter calls them, on the same float file.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize.calibrator import Calibrator, add_intermediate_tensors

from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.quiet import quiet
from mobilekit.core.recipe import Granularity, IoType, Recipe, Scheme


def quantize_by_tflite(
    content: bytes, recipe: Recipe, samples: Iterable[np.ndarray | Sequence[np.ndarray]]
) -> bytes:
    """Quantizes a float file as TFLiteConverter does.

    Args:
        content: The float file.
        recipe: A static recipe without rules and without float logits.
        samples: Float32 inputs; for a file of several, one sequence of arrays a sample.

    Raises:
        UsageError: If TFLiteConverter cannot make the recipe.
        ConversionError: If its quantizer refuses the model.
    """
    if recipe.scheme is not Scheme.STATIC or recipe.rules or recipe.float_logits:
        raise UsageError(
            f"TFLiteConverter's quantizer cannot make {recipe.name} of a .tflite; leave --quantizer"
            " out."
        )
    native = tf.int16 if recipe.activation_bits == 16 else tf.int8
    io_type = {IoType.NATIVE: native, IoType.UINT8: tf.uint8, IoType.FLOAT: tf.float32}[recipe.io]

    def feed() -> Iterator[list[np.ndarray]]:
        for values in samples:
            yield [values] if isinstance(values, np.ndarray) else list(values)

    failure = None
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _quantized(content, feed, recipe, io_type)
        except (ValueError, RuntimeError) as error:
            failure = error
    raise ConversionError(
        f"TFLiteConverter's quantizer cannot make {recipe.name} of this model:"
        f" {str(failure).strip().splitlines()[0]}"
    ) from failure


def _quantized(
    content: bytes, feed: Callable[[], Iterator[list[np.ndarray]]], recipe: Recipe, io: tf.DType
) -> bytes:
    calibrator = Calibrator(add_intermediate_tensors(content))
    per_tensor = recipe.granularity is Granularity.PER_TENSOR
    if recipe.activation_bits == 16:  # TFLiteConverter leaves these to its older quantizer
        return bytes(
            calibrator.calibrate_and_quantize(
                feed,
                io,
                io,
                allow_float=False,
                activations_type=tf.int16,
                bias_type=tf.int64,
                disable_per_channel=per_tensor,
            )
        )
    return bytes(
        mlir_quantize(
            calibrator.calibrate(feed),
            disable_per_channel=per_tensor,
            input_data_type=io,
            output_data_type=io,
        )
    )
