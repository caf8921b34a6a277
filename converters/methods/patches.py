"""What a layer's weights are multiplied with: patches of its integer input at sampled positions."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.methods.surgery import Layer, Model

SEED = 0
# Positions that are looked at, over all images: enough for every weight of the widest patch in
# mobile networks several times over, and few enough that a layer takes a fraction of a second.
MIN_POSITIONS = 1024
POSITIONS_PER_WEIGHT = 8


def patches(model: Model, layer: Layer, values: np.ndarray) -> np.ndarray:
    """Inputs of a layer in steps of its input's scale, zero where the border is padded.

    Args:
        model: The integer file.
        layer: One of its layers.
        values: int8 inputs, (images, …, channels).

    Returns:
        float32 (positions, kernel height * width, input channels); one "kernel position" for a
        dense layer.
    """
    zero = model.zero_point(layer.input)
    weights = model.graph.tensors[layer.weights].shape
    if layer.code == schema.BuiltinOperator.FULLY_CONNECTED:
        rows = values.reshape(-1, int(weights[1]))
        chosen = _sample(len(rows), int(weights[1]))
        return (rows[chosen].astype(np.float32) - zero)[:, np.newaxis, :]
    return _windows(model, layer, values, zero)


def _windows(model: Model, layer: Layer, values: np.ndarray, zero: int) -> np.ndarray:
    options = model.graph.operators[layer.position].builtinOptions
    _, height, width, _ = (int(length) for length in model.graph.tensors[layer.weights].shape)
    strides = (int(options.strideH), int(options.strideW))
    dilations = (int(options.dilationHFactor), int(options.dilationWFactor))
    images, *size, channels = values.shape
    outputs = [int(length) for length in model.graph.tensors[layer.output].shape[1:3]]
    same = options.padding == schema.Padding.SAME
    before = [0, 0]
    for axis, kernel in enumerate((height, width)):
        reach = (kernel - 1) * dilations[axis] + 1
        missing = max((outputs[axis] - 1) * strides[axis] + reach - size[axis], 0)
        before[axis] = missing // 2 if same else 0
    depth = 1 if layer.code == schema.BuiltinOperator.DEPTHWISE_CONV_2D else channels
    chosen = _sample(images * outputs[0] * outputs[1], height * width * depth)
    image, rest = np.divmod(chosen, outputs[0] * outputs[1])
    top, left = np.divmod(rest, outputs[1])
    found = np.zeros((len(chosen), height * width, channels), np.float32)
    for row in range(height):
        y = top * strides[0] - before[0] + row * dilations[0]
        for column in range(width):
            x = left * strides[1] - before[1] + column * dilations[1]
            inside = (y >= 0) & (y < size[0]) & (x >= 0) & (x < size[1])
            picked = values[image[inside], y[inside], x[inside]].astype(np.float32) - zero
            found[inside, row * width + column] = picked
    return found


def _sample(count: int, width: int) -> np.ndarray:
    """Up to a number of positions that `width` weights need, in order; the same ones each time."""
    wanted = max(MIN_POSITIONS, POSITIONS_PER_WEIGHT * width)
    if count <= wanted:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, wanted, replace=False))
