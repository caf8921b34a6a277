"""Large convolution weights, which ai-edge-quantizer 0.10 refuses: it gets them in pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from ai_edge_quantizer import qtyping
from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

# Above this it makes a matrix of a tensor, to save memory, and leaves the scales of a convolution
# with their four dimensions, which fit no matrix.
LARGE_BYTES = 32 * 1024 * 1024

Quantize = Callable[[np.ndarray, qtyping.UniformQuantParams, bool], np.ndarray]


@contextmanager
def in_pieces() -> Iterator[None]:
    """Lets the quantizer see no tensor of more than two dimensions that is too large for it."""
    theirs: Quantize = uniform_quantize_tensor.uniform_quantize

    def ours(
        values: np.ndarray,
        parameters: qtyping.UniformQuantParams,
        is_blockwise_quant: bool = False,
    ) -> np.ndarray:
        if values.ndim <= 2 or values.nbytes <= LARGE_BYTES:
            return theirs(values, parameters, is_blockwise_quant)
        count = math.ceil(values.nbytes / LARGE_BYTES)
        pieces = zip(
            np.array_split(values, count),
            _split(parameters.scale, len(values), count),
            _split(parameters.zero_point, len(values), count),
            strict=True,
        )
        return np.concatenate(
            [
                theirs(piece, replace(parameters, scale=scale, zero_point=zero), is_blockwise_quant)
                for piece, scale, zero in pieces
            ]
        )

    uniform_quantize_tensor.uniform_quantize = ours
    try:
        yield
    finally:
        uniform_quantize_tensor.uniform_quantize = theirs


def _split(numbers: np.ndarray, length: int, count: int) -> list[np.ndarray]:
    """What belongs to each piece: the numbers are one a filter, or the same for all."""
    return np.array_split(numbers, count) if len(numbers) == length else [numbers] * count
