"""The float conversion: a Keras model to float .tflite bytes. The one module with TFLiteConverter.

The route is a static-batch function whose variables are frozen into constants first. Of the other
routes, two "succeed" with a file of VAR_HANDLEs that answers NaN, one leaves a dynamic batch, and
one lets TensorFlow operators slip in (measured 2026-11 with TensorFlow 2.21).
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Sequence

import keras
import tensorflow as tf

from converters.keras_checks import as_model_takes, check_convertible, in_float32
from converters.stand_ins import StandIn, filled, size_bytes, stand_ins
from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet_stderr

# Below this the converter's copies of weights cost less than a second.
LARGE_BYTES = 50_000_000


def freeze(model: keras.Model, large_bytes: int = LARGE_BYTES) -> bytes:
    """Converts a functional model to float32 .tflite bytes, batch 1.

    Inputs and outputs keep their order. Layers that compute in float16 or bfloat16 compute in
    float32 in the file.

    Args:
        model: What to convert.
        large_bytes: From this size on, kernels do not go through TensorFlow, which keeps them many
            times at once; unless the file does not tell where each belongs.

    Raises:
        ConversionError: If the model is not functional, has an open dimension, too many weights
            for one file, NaN among them, or something TensorFlow Lite's builtin operators lack.
    """
    check_convertible(model)
    widened = in_float32(model)
    return _without_kernels(widened, large_bytes) or _converted(widened, optimizations={})


def _without_kernels(model: keras.Model, large_bytes: int) -> bytes | None:
    """The file, converted without its kernels; None where that does not pay or is not possible."""
    chosen = stand_ins(model)
    if size_bytes(chosen) < large_bytes:
        return None
    try:
        content = _converted(model, optimizations={}, chosen=chosen)
    except ConversionError:
        return None  # what is wrong is said of the model itself
    return filled(content, chosen, model)


def freeze_quantized(model: keras.Model, weights: str) -> bytes:
    """The same with TFLiteConverter's own quantization of weights, for comparison.

    Args:
        model: A functional model.
        weights: "int8" for hybrid operators, "float16" for half-size constants.

    Raises:
        ConversionError: As `freeze`.
    """
    check_convertible(model)
    types = {"float16": [tf.float16], "int8": []}[weights]
    return _converted(in_float32(model), optimizations={tf.lite.Optimize.DEFAULT: types})


def _converted(
    model: keras.Model,
    optimizations: dict[tf.lite.Optimize, list[tf.DType]],
    chosen: Sequence[StandIn] = (),
) -> bytes:
    signature = [
        tf.TensorSpec((1, *each.shape[1:]), each.dtype, name=each.name) for each in model.inputs
    ]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def infer(*images: tf.Tensor) -> list[tf.Tensor]:
        numbers = [
            (each.variable, tf.constant(each.number, tf.float32, each.variable.shape))
            for each in chosen
        ]
        with keras.StatelessScope(numbers) if numbers else contextlib.nullcontext():
            answer = model(as_model_takes(model, images), training=False)
        made: list[tf.Tensor] = keras.tree.flatten(answer)
        return made

    failure = None
    # The route is the deprecated one, by design, and the converter tells its progress.
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_concrete_functions([infer.get_concrete_function()])
        # It freezes the variables itself, which takes most of the time and memory: so only once.
        converter.experimental_lower_to_saved_model = False
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        for optimization, types in optimizations.items():
            converter.optimizations = [optimization]
            converter.target_spec.supported_types = types
        try:
            return bytes(converter.convert())
        except Exception as error:  # TensorFlow raises no common type
            failure = error  # raised outside, where what was held back stays unsaid
    raise ConversionError(_refusal(model.name, str(failure))) from failure


def _refusal(name: str, told: str) -> str:
    """One sentence of a converter's pages: the operators, and the layer of the first."""
    operators = re.findall(r"TF Select ops: (.+)|Custom ops: (.+)", told)
    if not operators:
        return f"{name} cannot be a .tflite of builtin operators: {told.strip().splitlines()[0]}"
    listed = ", ".join(each for pair in operators for each in pair if each)
    path = re.search(r'callsite\("([^"]+/[^"]+)"', told)
    layer = path[1].split("/")[-2] if path else None
    return (
        f"{name} cannot be a .tflite of builtin operators: LiteRT has no kernel for {listed}"
        f"{f' (first in {layer!r})' if layer else ''}; replace the layer by one that has."
    )
