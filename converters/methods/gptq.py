"""GPTQ (arXiv:2210.17323): weights rounded one input at a time, the rest taking up each error."""

from __future__ import annotations

import numpy as np

# Added to the diagonal, as a fraction of its mean: the paper's.
DAMPING = 0.01
BLOCK = 64
CLIPS = (1.0, 0.975, 0.95, 0.925, 0.9, 0.875, 0.85, 0.825, 0.8)
LARGEST = 127


def round_weights(
    weights: np.ndarray, second_moments: np.ndarray, scales: np.ndarray
) -> np.ndarray:
    """Integers whose error is small where inputs are large: never worse than rounding to nearest.

    Args:
        weights: float (groups, rows, inputs); rows of a group see the same inputs.
        second_moments: (groups, inputs, inputs), the sum of x xᵀ over samples.
        scales: (groups, rows), what one step is worth.

    Returns:
        int8 of the same shape, within -127..127.
    """
    moments = second_moments.astype(np.float64)
    order = np.argsort(-np.einsum("gkk->gk", moments), axis=1, kind="stable")
    turned = np.take_along_axis(moments, order[:, :, None], 1)
    turned = np.take_along_axis(turned, order[:, None, :], 2)
    steps = weights.astype(np.float64) / scales[:, :, None]
    guided = np.empty_like(steps)
    np.put_along_axis(
        guided,
        np.broadcast_to(order[:, None, :], steps.shape),
        _propagate(np.take_along_axis(steps, np.broadcast_to(order[:, None, :], steps.shape), 2), turned),
        2,
    )
    nearest = np.clip(np.rint(steps), -LARGEST, LARGEST)
    better = weighted_error(guided - steps, moments) <= weighted_error(nearest - steps, moments)
    return np.where(better[:, :, None], guided, nearest).astype(np.int8)


def clipped_scales(
    weights: np.ndarray, second_moments: np.ndarray, scales: np.ndarray
) -> np.ndarray:
    """A scale a row, of CLIPS times the given one, by the error of rounding to nearest."""
    best, least = scales.copy(), np.full(scales.shape, np.inf)
    for clip in CLIPS:
        tried = scales * np.float32(clip)
        steps = weights / tried[:, :, None]
        error = (np.clip(np.rint(steps), -LARGEST, LARGEST) - steps) * tried[:, :, None]
        cost = weighted_error(error, second_moments)
        better = cost < least
        best[better], least[better] = tried[better], cost[better]
    return best


def weighted_error(error: np.ndarray, second_moments: np.ndarray) -> np.ndarray:
    """Error power at the output: e M eᵀ of every row, (groups, rows)."""
    return np.asarray(((error @ second_moments) * error).sum(axis=2))


def _propagate(steps: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Rounds columns in order; each column's error is spread over the columns behind it."""
    groups, _, inputs = steps.shape
    damped = moments.copy()
    mean = np.einsum("gkk->g", damped) / inputs
    diagonal = np.arange(inputs)
    damped[:, diagonal, diagonal] += np.where(mean > 0, DAMPING * mean, 1.0)[:, None]
    # Row i of the upper factor of the inverse says how the inputs behind i make up for its error.
    upper = np.linalg.cholesky(np.linalg.inv(damped)).transpose(0, 2, 1)
    left, rounded = steps.copy(), np.empty_like(steps)
    for start in range(0, inputs, BLOCK):
        end = min(start + BLOCK, inputs)
        errors = np.empty((groups, steps.shape[1], end - start))
        for column in range(start, end):
            rounded[:, :, column] = np.clip(np.rint(left[:, :, column]), -LARGEST, LARGEST)
            error = (left[:, :, column] - rounded[:, :, column]) / upper[:, column, column, None]
            left[:, :, column:end] -= error[:, :, None] * upper[:, column, None, column:end]
            errors[:, :, column - start] = error
        left[:, :, end:] -= errors @ upper[:, start:end, end:]
    return rounded
