"""Numbers in place of large kernels while TensorFlow converts, which would copy those many times.

A kernel is replaced by one number of its own throughout, which TensorFlow and MLIR keep as one
number; the file that comes out is then filled with the real values. What the converter does to a
kernel is known: it is transposed, and batch norm multiplies each output channel. So a constant
of the file is read as number times scale of a batch norm, and the scale is applied to the real
kernel. A file with any constant that is not told beyond doubt is not filled at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from converters.graph import Tensor
from converters.keras_checks import leaves
from converters.tflite_reader import read_model

LAYERS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.SeparableConv2D)
MIN_ELEMENTS = 1024  # smaller kernels cost nothing
STEP = 2.0**-10  # between two numbers, relative; scales are told apart far below it
MAX_KERNELS = 1000
TOLERANCE = 2.0**-16
TRANSPOSED = {2: (1, 0), 4: (3, 0, 1, 2)}  # to output channels first, as the file has them


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """One kernel with the number that stands for it.

    Attributes:
        variable: The kernel, shaped (inputs, outputs) or (height, width, inputs, outputs).
        number: What every element of it is while TensorFlow converts.
    """

    variable: keras.Variable
    number: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the kernel in the file."""
        shape = self.variable.shape
        return tuple(shape[axis] for axis in TRANSPOSED[len(shape)])

    def values(self) -> np.ndarray:
        """The real kernel as the file has it, float32."""
        kernel = np.asarray(self.variable.value, np.float32)
        return kernel.transpose(TRANSPOSED[kernel.ndim])


def stand_ins(model: keras.Model) -> tuple[StandIn, ...]:
    """One for each large kernel of a plain layer; none where there are too many to tell apart."""
    kernels = {
        id(variable): variable
        for layer in leaves(model)
        if type(layer) in LAYERS
        for variable in layer.weights
        if variable.name in ("kernel", "pointwise_kernel")
        and np.prod(variable.shape) >= MIN_ELEMENTS
        and variable.dtype == "float32"
    }
    if len(kernels) > MAX_KERNELS:
        return ()
    return tuple(
        StandIn(variable=variable, number=1 + STEP * index)
        for index, variable in enumerate(kernels.values(), start=1)
    )


def size_bytes(chosen: Sequence[StandIn]) -> int:
    """Of the real kernels together."""
    return sum(4 * int(np.prod(each.shape)) for each in chosen)


def filled(content: bytes, chosen: Sequence[StandIn], model: keras.Model) -> bytes | None:
    """The file with real kernels.

    Args:
        content: What was converted with numbers for kernels.
        chosen: Those numbers.
        model: Whose batch norms may have multiplied them.

    Returns:
        None where a constant could be several kernels, or none, or a kernel was not found.
    """
    out = bytearray(content)
    start = np.frombuffer(out, np.uint8).ctypes.data
    scales = _scales(model)
    found: set[int] = set()
    filled_at: dict[int, int] = {}
    for graph in read_model(memoryview(out), model.name).subgraphs:
        for tensor in graph.tensors:
            channels = _channels(tensor)
            if channels is None:
                continue
            which = _which(tensor, channels, chosen, scales)
            if which is None:
                return None
            offset = np.frombuffer(tensor.data, np.uint8).ctypes.data - start  # type: ignore[arg-type]
            if filled_at.setdefault(offset, which) != which:
                return None
            found.add(which)
            _fill(out, offset, chosen[which], channels)
    return bytes(out) if len(found) == len(chosen) else None


def _fill(out: bytearray, offset: int, stand_in: StandIn, channels: np.ndarray) -> None:
    values = stand_in.values()
    target = np.frombuffer(out, "<f4", count=values.size, offset=offset).reshape(values.shape)
    scale = channels / np.float32(stand_in.number)
    if np.all(channels == np.float32(stand_in.number)):
        target[...] = values
    else:
        np.multiply(values, scale.reshape(-1, *(1,) * (values.ndim - 1)), out=target)


def _channels(tensor: Tensor) -> np.ndarray | None:
    """The number of each output channel; None for a constant that is no stand-in."""
    if tensor.dtype != "float32" or tensor.data is None or tensor.elements < MIN_ELEMENTS:
        return None
    values = tensor.values()
    if values.ndim not in TRANSPOSED:  # part of a kernel, if it is all one number that is no zero
        first = values.reshape(-1)[:1]
        return first if first[0] and np.all(values == first) else None
    rows = values.reshape(tensor.shape[0], -1)
    first = rows[:, 0]
    return first.copy() if rows.shape[1] > 1 and np.all(rows == first[:, None]) else None


def _which(
    tensor: Tensor, channels: np.ndarray, chosen: Sequence[StandIn], scales: Sequence[np.ndarray]
) -> int | None:
    """The only stand-in that such a constant can be, by its place in `chosen`."""
    fitting = [
        index
        for index, stand_in in enumerate(chosen)
        if stand_in.shape == tensor.shape and _is_scaled(channels, stand_in.number, scales)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _is_scaled(channels: np.ndarray, number: float, scales: Sequence[np.ndarray]) -> bool:
    ones = np.ones(1, np.float32)
    candidates = (ones, *(scale for scale in scales if scale.shape == channels.shape))
    return any(
        np.allclose(channels, number * scale, rtol=TOLERANCE, atol=0) for scale in candidates
    )


def _scales(model: keras.Model) -> list[np.ndarray]:
    """What each batch norm multiplies its channels by."""
    found = []
    for layer in leaves(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            variance = np.asarray(layer.moving_variance.value, np.float32)
            gamma = np.asarray(layer.gamma.value, np.float32) if layer.scale else np.float32(1)
            found.append(gamma / np.sqrt(variance + np.float32(layer.epsilon)))
    return found
