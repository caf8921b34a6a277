"""Counts a network written as the figures of Inception papers have it, without building anything.

"3x3/2 64" has stride 2 and no border, "3x3V 64" no border, "3x3 64" neither. A string is a tower:
its layers stand behind one another with ", " between them, and " | " parts its end. A list is a
module of towers, a tuple a module whose towers are a residual behind a linear 1x1 convolution.
"""

import math
import re
from dataclasses import dataclass


@dataclass
class Cost:
    """What was counted so far: weights and biases, batch-normed channels, multiplications."""

    weights: int = 0
    normed: int = 0
    macs: int = 0

    def trainable(self, *, gamma=False):
        return self.weights + (1 + gamma) * self.normed

    def total(self, *, gamma=False):
        return self.trainable(gamma=gamma) + 2 * self.normed


def cost_of(network, *, size, classes):
    """A square RGB image through `network`, a mean over positions and a dense layer."""
    cost, channels = Cost(), 3
    for module in network:
        if isinstance(module, str):
            channels, size = _tower(module, channels, size, cost)
            continue
        ends = [_tower(tower, channels, size, cost) for tower in module]
        made = sum(filters for filters, _ in ends)
        assert len({end for _, end in ends}) == 1
        if isinstance(module, tuple):
            cost.weights += made * channels + channels
            cost.macs += made * channels * size**2
        else:
            channels, size = made, ends[0][1]
    cost.weights += channels * classes + classes
    cost.macs += channels * classes
    return cost


def _tower(tower, channels, size, cost):
    for step in tower.split(", "):
        made = 0
        for layer in step.split(" | "):
            filters, end = _layer(layer, channels, size, cost)
            made += filters
        channels, size = made, end
    return channels, size


def _layer(layer, channels, size, cost):
    if layer == "avg":
        return channels, size
    if layer == "max":
        return channels, (size - 3) // 2 + 1
    height, width, border, filters = re.fullmatch(r"(\d)x(\d)(/2|V|) (\d+)", layer).groups()
    kernel, made = (int(height), int(width)), int(filters)
    end = {"/2": (size - kernel[0]) // 2 + 1, "V": size - kernel[0] + 1, "": size}[border]
    weights = math.prod(kernel) * channels * made
    cost.weights += weights
    cost.normed += made
    cost.macs += weights * end**2
    return made, end
