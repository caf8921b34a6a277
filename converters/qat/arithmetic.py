"""Rounding to int8 in float arithmetic, with straight-through gradients.

The gradient of rounding is taken to be 1, which gives a learned range what "Learned Step Size
Quantization" (Esser et al. 2020, arXiv:1902.08153, equation 3) gives its step: the rounding error
inside the range, the end of the range outside; with two ends, as in LSQ+ (Bhalgat et al. 2020,
arXiv:2004.09576). The operations and their order are those of the quantizer that writes the file,
in float32, so that scales and integers are equal to the last bit.
"""

from __future__ import annotations

from typing import TypeAlias

import keras
from keras import ops

from converters.ranges import INT8_MAX, INT8_MIN

LEAST_SPAN = 1e-9  # of a range: the quantizer's own guard against a scale of 0
# Averages of up to 500 integers are halves or this far from them; float32 is off by less.
HALF = 1e-3
NEAR = 1e-3  # of an integer: what dividing by a scale leaves of one
INT32_MAX = 2**31 - 1

# A tensor of the backend; Keras has no type for it that a checker knows.
Tensor: TypeAlias = keras.KerasTensor


def rounded(x: Tensor) -> Tensor:
    """The nearest integers, halves to even; the gradient is that of `x`."""
    # The difference is exact in floating point, and so is the sum.
    return x + ops.stop_gradient(ops.round(x) - x)


def rounded_away(x: Tensor) -> Tensor:
    """The same with halves away from zero, as the runtime's average pooling rounds sums."""
    nearest = ops.sign(x) * ops.floor(ops.abs(x) + (0.5 + HALF))
    return x + ops.stop_gradient(nearest - x)


def in_steps(x: Tensor, scale: Tensor) -> Tensor:
    """Values over their scale; those that are integers but for float32 become integers.

    Sums of integers below 2^24 are exact in float32, so that a convolution of them is that of the
    integer kernels to the bit. What dropout scaled is no integer, and stays as it is.
    """
    steps = x / scale
    off = ops.round(steps) - steps
    return steps + ops.stop_gradient(ops.where(ops.abs(off) < NEAR, off, 0.0))


def scale_and_zero(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and integer zero point of int8 for values between `low` <= 0 and `high` >= 0."""
    scale = ops.maximum(high - low, LEAST_SPAN) / (INT8_MAX - INT8_MIN)
    return scale, rounded(INT8_MIN - low / scale)


def fake_quantized(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Activations as an int8 tensor of the range `low` <= 0 to `high` >= 0 would hold them."""
    scale, zero = scale_and_zero(low, high)
    steps = ops.clip(rounded(x / scale) + zero, INT8_MIN, INT8_MAX)
    return (steps - zero) * scale


def fake_averaged(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Averages of int8 activations, as a tensor of the same range would hold them."""
    scale, zero = scale_and_zero(low, high)
    # The runtime averages the integers, zero point included, and rounds those.
    steps = ops.clip(rounded_away(x / scale + zero), INT8_MIN, INT8_MAX)
    return (steps - zero) * scale


def fake_quantized_weights(weights: Tensor, bound: Tensor) -> tuple[Tensor, Tensor]:
    """Weights as int8 between -127 and 127 holds them, and their scale; `bound` broadcasts."""
    scale = ops.maximum(bound, LEAST_SPAN) / INT8_MAX
    steps = ops.clip(rounded(weights / scale), -INT8_MAX, INT8_MAX)
    return steps * scale, scale


def bias_in_steps(bias: Tensor, scale: Tensor) -> Tensor:
    """A bias as the int32 of a scale."""
    return ops.clip(rounded(bias / scale), -INT32_MAX, INT32_MAX)
