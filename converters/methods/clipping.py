"""Ranges that leave rare values outside: by percentile, or where the squared error is least."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from converters.methods import MSE, PERCENTILE
from converters.methods.parts import run_part
from converters.methods.surgery import Model
from converters.ranges import INT8_MAX, INT8_MIN, quantization_of

SEED = 0
VALUES_PER_IMAGE = 20_000  # of each tensor, drawn at random
OUTSIDE_PERCENT = 0.01  # on either side
# Ends of the range that are tried, as a share of what was seen.
SHARES = tuple(np.linspace(0.3, 1.0, 29).tolist())
MSE_VALUES = 50_000

Ends = tuple[float, float]


def clipped_ranges(content: bytes, inputs: Sequence[np.ndarray], method: str) -> dict[str, Ends]:
    """A range for each activation of a float file, by tensor name.

    Args:
        content: The float file.
        inputs: Float32 arrays of its input's shape.
        method: PERCENTILE or MSE.
    """
    choose = CHOICES[method]
    return {name: choose(values) for name, values in sampled(content, inputs).items()}


def sampled(content: bytes, inputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Values of each activation, drawn at the same places of every image."""
    model = Model(content)
    tensors = list(model.float_activations())[1:]  # the input's range is the preprocessing's
    model.graph.outputs = tensors
    model.schema.signatureDefs = None
    probed = model.pack()
    drawn: list[list[np.ndarray]] = [[] for _ in tensors]
    for values in inputs:
        random = np.random.default_rng(SEED)
        for row, found in zip(drawn, run_part(probed, [values[np.newaxis]]), strict=True):
            flat = found.reshape(-1)
            if flat.size > VALUES_PER_IMAGE:
                flat = flat[random.integers(0, flat.size, VALUES_PER_IMAGE)]
            row.append(flat)
    return {
        model.name(tensor): np.concatenate(row) for tensor, row in zip(tensors, drawn, strict=True)
    }


def percentile_range(values: np.ndarray) -> Ends:
    """The range that leaves OUTSIDE_PERCENT of the values outside on either side."""
    low, high = np.percentile(values, (OUTSIDE_PERCENT, 100 - OUTSIDE_PERCENT))
    return float(low), float(high)


def mse_range(values: np.ndarray) -> Ends:
    """The range whose int8 has the least mean squared error.

    The ends move one after the other; tensors that touch zero, as after ReLU, have one to move.
    """
    values = values[:: max(1, values.size // MSE_VALUES)].astype(np.float32)
    low, high = float(values.min()), float(values.max())
    best = min(SHARES, key=lambda share: (_squared_error(values, low, high * share), -share))
    high *= best
    if low < 0:
        best = min(SHARES, key=lambda share: (_squared_error(values, low * share, high), -share))
        low *= best
    return low, high


def _squared_error(values: np.ndarray, low: float, high: float) -> float:
    scale, zero_point = quantization_of(low, high)
    zero = round(zero_point)
    steps = np.clip(np.rint(values / scale) + zero, INT8_MIN, INT8_MAX)
    return float(np.square((steps - zero) * scale - values).mean())


CHOICES: Mapping[str, Callable[[np.ndarray], Ends]] = {
    PERCENTILE: percentile_range,
    MSE: mse_range,
}
