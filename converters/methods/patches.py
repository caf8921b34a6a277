"""What a layer's weights are multiplied with: patches of its integer input at sampled positions."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.methods.channel_groups import OP
from converters.methods.surgery import Layer, Model

SEED = 0
# Positions that are looked at, over all images: several for each weight of a patch.
MIN_POSITIONS = 1024
POSITIONS_PER_WEIGHT = 8


def grouped_weights(model: Model, layer: Layer, weights: np.ndarray) -> np.ndarray:
    """Weights as (groups, rows, inputs): the rows of a group see the same inputs."""
    channels = int(model.graph.tensors[layer.input].shape[-1])
    if layer.code == OP.DEPTHWISE_CONV_2D:
        *kernel, outputs = weights.shape[1:]
        taps = weights.reshape(kernel[0] * kernel[1], channels, outputs // channels)
        return taps.transpose(1, 2, 0)
    groups = channels // weights.shape[-1] if layer.code == OP.CONV_2D else 1
    return weights.reshape(groups, weights.shape[0] // groups, -1)


def ungrouped_weights(layer: Layer, grouped: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The same the other way."""
    if layer.code == OP.DEPTHWISE_CONV_2D:
        return grouped.transpose(2, 0, 1).reshape(shape)
    return grouped.reshape(shape)


def second_moments(model: Model, layer: Layer, values: np.ndarray) -> np.ndarray:
    """The sum of x xᵀ over sampled patches x of a layer's input, in steps of its scale.

    Args:
        model: The integer file.
        layer: One of its layers.
        values: int8 inputs, (images, …, channels).

    Returns:
        float32 (groups, inputs, inputs), in the order of `grouped_weights`.
    """
    weights = model.graph.tensors[layer.weights].shape
    if layer.code == OP.FULLY_CONNECTED:
        rows = values.reshape(-1, int(weights[1]))
        chosen = rows[_sample(len(rows), rows.shape[1])]
        found = (chosen.astype(np.float32) - model.zero_point(layer.input))[:, np.newaxis]
    else:
        found = _windows(model, layer, values)
    positions, taps, channels = found.shape
    if layer.code == OP.DEPTHWISE_CONV_2D:
        by_channel = np.ascontiguousarray(found.transpose(2, 1, 0))
        return np.asarray(by_channel @ by_channel.transpose(0, 2, 1))
    depth = int(weights[-1])
    groups = found.reshape(positions, taps, channels // depth, depth).transpose(2, 0, 1, 3)
    flat = groups.reshape(channels // depth, positions, taps * depth)
    return np.asarray(flat.transpose(0, 2, 1) @ flat)


def _windows(model: Model, layer: Layer, values: np.ndarray) -> np.ndarray:
    """Patches of a convolution, (positions, taps, channels), zero where the border is padded."""
    options = model.graph.operators[layer.position].builtinOptions
    _, height, width, depth = (int(each) for each in model.graph.tensors[layer.weights].shape)
    images, rows, columns, channels = values.shape
    outputs = [int(length) for length in model.graph.tensors[layer.output].shape[1:3]]
    same = options.padding == schema.Padding.SAME
    ys = _Axis(rows, outputs[0], height, options.strideH, options.dilationHFactor, same)
    xs = _Axis(columns, outputs[1], width, options.strideW, options.dilationWFactor, same)
    depth = 1 if layer.code == OP.DEPTHWISE_CONV_2D else depth
    chosen = _sample(images * outputs[0] * outputs[1], height * width * depth)
    image, place = np.divmod(chosen, outputs[0] * outputs[1])
    top, left = np.divmod(place, outputs[1])
    found = np.zeros((len(chosen), height * width, channels), np.float32)
    for tap in range(height * width):
        y, x = ys.inputs(top, tap // width), xs.inputs(left, tap % width)
        inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
        picked = values[image[inside], y[inside], x[inside]].astype(np.float32)
        found[inside, tap] = picked - model.zero_point(layer.input)
    return found


class _Axis:
    """Where a convolution reads along height or width."""

    def __init__(
        self, size: int, outputs: int, kernel: int, stride: int, dilation: int, same: bool
    ) -> None:
        self._stride, self._dilation = int(stride), int(dilation)
        reach = (kernel - 1) * self._dilation + 1
        missing = max((outputs - 1) * self._stride + reach - size, 0)
        self._before = missing // 2 if same else 0

    def inputs(self, outputs: np.ndarray, tap: int) -> np.ndarray:
        """The input that each output reads with one tap of the kernel; outside for padding."""
        return outputs * self._stride - self._before + tap * self._dilation


def _sample(count: int, width: int) -> np.ndarray:
    """Up to a number of positions that `width` weights need, in order; the same ones each time."""
    wanted = max(MIN_POSITIONS, POSITIONS_PER_WEIGHT * width)
    if count <= wanted:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, wanted, replace=False))
