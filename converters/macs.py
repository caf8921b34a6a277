"""Multiply-accumulates of operators: convolution and dense layers, as for whole networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from converters.graph import Operator, Subgraph, Tensor


def operator_macs(operator: Operator, subgraph: Subgraph) -> int:
    """Multiply-accumulates of one invocation; an open dimension counts as 1."""
    count = _COUNTS.get(operator.name)
    indices = (*operator.inputs[:3], *operator.outputs[:1])
    if count is None or len(operator.inputs) < 2 or not operator.outputs:
        return 0
    tensors = [subgraph.tensors[index] if index >= 0 else None for index in indices]
    return count(tensors[:-1], tensors[-1])


_Inputs = list[Tensor | None]


def _size(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.elements


def _window(weights: Tensor | None, start: int) -> int:
    return 0 if weights is None else math.prod(abs(n) for n in weights.shape[start:])


def _convolution(inputs: _Inputs, output: Tensor | None) -> int:
    """Filter (output, height, width, input): each output sums over all but the first."""
    return _size(output) * _window(inputs[1], 1)


def _depthwise(inputs: _Inputs, output: Tensor | None) -> int:
    """Filter (1, height, width, output): each output sums over its own window."""
    weights = inputs[1]
    return 0 if weights is None else _size(output) * math.prod(map(abs, weights.shape[1:3]))


def _volume(inputs: _Inputs, output: Tensor | None) -> int:
    """Filter (depth, height, width, input, output)."""
    weights = inputs[1]
    return 0 if weights is None else _size(output) * math.prod(map(abs, weights.shape[:4]))


def _transposed(inputs: _Inputs, output: Tensor | None) -> int:
    """Each input element meets the window of every output channel."""
    weights = inputs[1]
    if len(inputs) < 3 or weights is None or not weights.shape:
        return 0
    return _size(inputs[2]) * math.prod(map(abs, weights.shape[:3]))


def _matrices(inputs: _Inputs, output: Tensor | None) -> int:
    """Each output sums over the inner dimension, which the elements of both tell."""
    left, right = inputs[0], inputs[1]
    if left is None or right is None or output is None:
        return 0
    if min(len(left.shape), len(right.shape), len(output.shape)) < 2 or not output.shape[-2]:
        return 0
    rows = abs(output.shape[-2])
    inner = math.prod(map(abs, left.shape[-2:])) // rows
    return output.elements * inner


_COUNTS: Mapping[str, Callable[[_Inputs, Tensor | None], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _convolution,
    "CONV_3D": _volume,
    "TRANSPOSE_CONV": _transposed,
    "BATCH_MATMUL": _matrices,
}
