"""The float conversion: a Keras model to float .tflite bytes. The one module with TFLiteConverter.

The route is a static-batch function whose variables are frozen into constants first. Of the other
routes, two "succeed" with a file of VAR_HANDLEs that answers NaN, one leaves a dynamic batch, and
one lets TensorFlow operators slip in (measured 2026-11 with TensorFlow 2.21).
"""

from __future__ import annotations

import warnings

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet_stderr

# A flatbuffer's offsets are 32 bits; 5 % are left for everything that is not a weight.
MAX_PARAMS = int(2**31 * 0.95) // 4


def freeze(model: keras.Model) -> bytes:
    """Converts a functional model of one input to float32 .tflite bytes, batch 1.

    Raises:
        ConversionError: If the model has several inputs, an open dimension, too many
            weights for one file, or something TensorFlow Lite's builtin operators lack.
    """
    shape = _input_shape(model)
    if model.count_params() > MAX_PARAMS:
        raise ConversionError(
            f"{model.name} has {model.count_params():,} parameters; its file would pass 2 GB,"
            " which a .tflite cannot. Build it smaller."
        )
    signature = tf.TensorSpec(shape, tf.float32, name=model.inputs[0].name)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]
    def infer(image: tf.Tensor) -> tf.Tensor:
        return model(image, training=False)

    # The route is the deprecated one, by design, and the converter tells its progress.
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frozen = convert_variables_to_constants_v2(infer.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return bytes(converter.convert())
        except Exception as error:  # TensorFlow raises no common type
            raise ConversionError(
                f"{model.name} cannot be a .tflite of builtin operators:"
                f" {str(error).strip().splitlines()[0]}"
            ) from error


def _input_shape(model: keras.Model) -> tuple[int, ...]:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ConversionError(
            f"{model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs;"
            " only models of one each are converted yet."
        )
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape:
        raise ConversionError(
            f"{model.name} has an open dimension in its input {model.inputs[0].shape};"
            " no delegate takes that. Build it with a fixed input size."
        )
    return (1, *shape)
