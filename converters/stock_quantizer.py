"""TFLiteConverter's own quantizer on a float file: what others make, to hold ours against.

Its calibrator and its quantizer are called as TFLiteConverter calls them, on the same float file.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize.calibrator import Calibrator
from tensorflow.lite.toco import types_pb2

from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.quiet import quiet_stderr
from mobilekit.core.recipe import Granularity, IoType, Recipe, Scheme

ACTIVATIONS = {
    8: (types_pb2.QUANTIZED_INT8, tf.int8),
    16: (types_pb2.QUANTIZED_INT16, tf.int16),
}


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
    activations, native = ACTIVATIONS[recipe.activation_bits]
    io_type = {IoType.NATIVE: native, IoType.UINT8: tf.uint8, IoType.FLOAT: tf.float32}[recipe.io]

    def feed() -> Iterator[list[np.ndarray]]:
        for values in samples:
            yield [values] if isinstance(values, np.ndarray) else list(values)

    failure = None
    with quiet_stderr(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            calibrated = Calibrator(content).calibrate(feed)
            return bytes(
                mlir_quantize(
                    calibrated,
                    disable_per_channel=recipe.granularity is Granularity.PER_TENSOR,
                    fully_quantize=True,
                    inference_type=activations,
                    input_data_type=io_type,
                    output_data_type=io_type,
                )
            )
        except (ValueError, RuntimeError) as error:
            failure = error
    raise ConversionError(
        f"TFLiteConverter's quantizer cannot make {recipe.name} of this model:"
        f" {str(failure).strip().splitlines()[0]}"
    ) from failure
