"""What each kind of layer is to the integer file."""

from __future__ import annotations

import enum
from collections.abc import Callable

import keras
from keras import layers

from converters.qat.kernels import TWINS
from converters.qat.steps import Step
from mobilekit.core.errors import ConversionError


class Kind(enum.Enum):
    """What a step is to the quantizer."""

    KERNEL = enum.auto()  # has weights, and a range of its own behind its activation
    NORM = enum.auto()  # a batch norm
    RELU = enum.auto()
    OWN = enum.auto()  # no weights, and a range of its own
    JOIN = enum.auto()  # its inputs have the scale of its output
    KEEP = enum.auto()  # picks or moves values: the scale and the integers of its input
    KEEP_ROUNDED = enum.auto()  # averages values: the scale of its input, rounded anew
    NOTHING = enum.auto()  # is not in the file
    FIXED = enum.auto()  # its kernel decides the scale


KINDS: dict[type[keras.layers.Layer], Kind] = {
    **dict.fromkeys(TWINS, Kind.KERNEL),
    layers.BatchNormalization: Kind.NORM,
    layers.ReLU: Kind.RELU,
    layers.Add: Kind.OWN,
    layers.Multiply: Kind.OWN,
    layers.GlobalAveragePooling2D: Kind.OWN,
    layers.Concatenate: Kind.JOIN,
    layers.MaxPooling2D: Kind.KEEP,
    layers.Flatten: Kind.KEEP,
    layers.Reshape: Kind.KEEP,
    layers.ZeroPadding2D: Kind.KEEP,
    layers.AveragePooling2D: Kind.KEEP_ROUNDED,
    layers.Dropout: Kind.NOTHING,
    layers.SpatialDropout2D: Kind.NOTHING,
    layers.Softmax: Kind.FIXED,
}
ACTIVATIONS = {
    "relu": Kind.RELU,
    "relu6": Kind.RELU,
    "softmax": Kind.FIXED,
    "sigmoid": Kind.FIXED,
    "tanh": Kind.FIXED,
    "linear": Kind.NOTHING,
}
# Scales that the runtime's kernels have: 1/256 from 0, and 1/128 around it.
FIXED_RANGES = {
    "softmax": (0.0, 255 / 256),
    "sigmoid": (0.0, 255 / 256),
    "tanh": (-1.0, 127 / 128),
}


def kind_of(step: Step) -> Kind:
    """What a step is; raises ConversionError for what has no twin."""
    layer = step.layer
    if isinstance(layer, layers.Activation):
        found = ACTIVATIONS.get(activation_name(layer))
    else:
        found = KINDS.get(type(layer))
    reason = _unsuited(step) if found else "has no fake-quantized twin"
    if found is None or reason:
        raise ConversionError(
            f"{step.described} {reason}: quantization-aware training knows"
            f" {', '.join(sorted(kind.__name__ for kind in KINDS))}, and the activations"
            f" {', '.join(sorted(ACTIVATIONS))}."
        )
    return found


def activation_name(layer: keras.layers.Layer) -> str:
    """Of the function that a layer applies, such as "relu6"; "linear" for none."""
    function: Callable[..., object] | None = getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", function))


def _unsuited(step: Step) -> str:
    """What makes a layer of a known class another one; "" where nothing does."""
    layer = step.layer
    if isinstance(layer, layers.ReLU) and (layer.negative_slope or layer.threshold):
        return "has a slope or a threshold"
    if isinstance(layer, layers.ReLU) and layer.max_value not in (None, 6.0):
        return f"is cut off at {layer.max_value:g}, which no operator does"
    if isinstance(layer, layers.Add | layers.Multiply) and len(step.inputs) != 2:
        return f"has {len(step.inputs)} inputs, which are several operators"
    if isinstance(layer, layers.BatchNormalization) and layer.axis not in (-1, _last_axis(step)):
        return f"normalizes axis {layer.axis}, not the channels"
    if isinstance(layer, layers.Dense) and len(layer.kernel.shape) != 2:
        return "has no plain matrix"
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return "has channels first"
    return ""


def _last_axis(step: Step) -> int:
    return len(step.layer.input.shape) - 1


def fixed_range(step: Step, kind: Kind) -> tuple[float, float] | None:
    """The range that the runtime's kernel gives its output; None where the file decides."""
    if kind is not Kind.FIXED:
        return None
    name = activation_name(step.layer)
    return FIXED_RANGES["softmax" if isinstance(step.layer, layers.Softmax) else name]
