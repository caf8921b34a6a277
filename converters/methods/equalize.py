"""Equalization (arXiv:1906.04721): no channel of a tensor is much wider than another.

A factor a channel moves from the weights that write a group of tensors into the weights that read
it, so the float network stays what it was. Which factors are best is computed from the noise that
8 bits add to the readers: that of the activations, which shrinks as narrow channels are widened,
and that of their weights, which grows.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from converters.methods.channel_groups import OP, ChannelGroup, channel_groups
from converters.methods.observation import Observation, Spread
from converters.methods.surgery import Layer, Model

# Factors that are tried: (a channel's largest value) ** -a times (its largest weight) ** b.
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
LARGEST_FACTOR = 64.0
SMALLEST_SHARE = 1e-4  # channels narrower than this share of the widest count as dead
SIX = 6.0
# How far beyond what was seen a ReLU6 channel may reach on other images: by this factor, or this
# many standard deviations over its mean. 1.15 times the observed broke a float network (14.5 dB).
HEADROOM = 1.5
DEVIATIONS = 8.0
STEPS, HALF_STEPS = 255.0, 127.0
SWEEPS = {False: 1, True: 2}  # with one scale a tensor, groups depend on their neighbours


@dataclass(frozen=True, kw_only=True)
class Equalized:
    """What equalization made.

    Attributes:
        content: The float file.
        seen: What would be observed of it.
        groups: How many groups of tensors were changed.
    """

    content: bytes
    seen: Observation
    groups: int


def equalize(
    content: bytes, seen: Observation, *, per_tensor: bool = False, through_relu6: bool = True
) -> Equalized:
    """Equalizes a float file.

    Args:
        content: The float file.
        seen: What was observed of it.
        per_tensor: Whether weights will have one scale a tensor.
        through_relu6: Whether to change channels that end in ReLU6, which is exact only as far as
            they never exceed what was seen by HEADROOM and DEVIATIONS.
    """
    model = Model(content)
    scaling = _Scaling(model, seen, per_tensor)
    changed = set()
    for _ in range(SWEEPS[per_tensor]):
        for number, group in enumerate(channel_groups(model)):
            if group.bounded and not through_relu6:
                continue
            if scaling.improve(group):
                changed.add(number)
    return Equalized(content=model.pack(), seen=scaling.seen(), groups=len(changed))


class _Scaling:
    """Chooses factors and moves them, keeping what was seen in step."""

    def __init__(self, model: Model, seen: Observation, per_tensor: bool) -> None:
        self._model, self._per_tensor = model, per_tensor
        self._tensors, self._before = dict(seen.tensors), dict(seen.before)
        self._outputs = seen.outputs

    def seen(self) -> Observation:
        return Observation(tensors=self._tensors, before=self._before, outputs=self._outputs)

    def improve(self, group: ChannelGroup) -> bool:
        """Gives a group the best factors; False where 1 is best."""
        best: np.ndarray | None = None
        channels = len(self._spread(group.tensors[0]).largest)
        least = self._noise(group, np.ones(channels))
        for factors in self._tried(group):
            noise = self._noise(group, factors)
            if noise < least:
                best, least = factors, noise
        if best is None:
            return False
        self._move(group, best.astype(np.float32))
        return True

    def _tried(self, group: ChannelGroup) -> list[np.ndarray]:
        widths = np.max([_share(self._spread(t).largest) for t in group.tensors], axis=0)
        weights = np.max(
            [_share(_by_input(r, self._weights(r)).max(axis=1)) for r in group.readers], axis=0
        )
        limits, fixed = np.full(len(widths), LARGEST_FACTOR), np.zeros(len(widths), bool)
        for layer in group.bounded:
            reach = _reach(self._before[layer.name])
            fixed |= reach > SIX
            limits = np.minimum(limits, SIX / np.maximum(reach, SMALLEST_SHARE))
        tried = []
        for a, b in itertools.product(EXPONENTS, EXPONENTS):
            factors = widths**-a * weights**b
            factors /= (factors * widths).max()  # the widest channel keeps the tensor's range
            tried.append(np.where(fixed, 1.0, np.minimum(factors, limits)))
        return tried

    def _noise(self, group: ChannelGroup, factors: np.ndarray) -> float:
        """Noise at the readers beside their signal, summed over readers."""
        written = np.zeros(len(factors))
        if self._per_tensor:
            for layer in group.writers:
                written += self._noise_written(layer, factors)
        total = 0.0
        for reader in group.readers:
            spread = self._spread(reader.input)
            high = max(float((spread.high.max(axis=0) * factors).max()), 0.0)
            low = min(float((spread.low.min(axis=0) * factors).min()), 0.0)
            of_inputs = ((high - low) / STEPS) ** 2 / 12 + written
            weights = _by_input(reader, self._weights(reader)) / factors[:, np.newaxis]
            noise = (of_inputs * np.square(weights).sum(axis=1)).sum()
            powers = spread.power * np.square(factors)
            noise += (self._weight_noise(reader, weights) * powers).sum()
            total += float(noise) / max(float(self._before[reader.name].variance.sum()), 1e-12)
        return total

    def _weight_noise(self, layer: Layer, weights: np.ndarray) -> np.ndarray:
        """Noise power a channel that rounding a reader's weights adds, for inputs of power 1."""
        if self._per_tensor:
            steps = np.full(weights.shape, weights.max() / HALF_STEPS)
        elif layer.code == OP.DEPTHWISE_CONV_2D:
            steps = np.broadcast_to(weights.max(axis=1, keepdims=True) / HALF_STEPS, weights.shape)
        else:
            rows = self._model.graph.tensors[layer.weights].shape[0]
            of_row = weights.reshape(len(weights), rows, -1).max(axis=(0, 2)) / HALF_STEPS
            steps = np.repeat(of_row, weights.shape[1] // rows)[np.newaxis, :]
        return np.asarray(
            np.broadcast_to(np.square(steps) / 12, weights.shape).sum(axis=1), np.float64
        )

    def _noise_written(self, layer: Layer, factors: np.ndarray) -> np.ndarray:
        """Noise power a channel that a writer's one scale brings along."""
        weights = np.abs(np.moveaxis(self._weights(layer), layer.axis, -1)) * factors
        inputs = self._spread(layer.input).power
        taps = weights.size / len(factors)  # weights a channel
        if layer.code == OP.DEPTHWISE_CONV_2D:
            power = inputs * taps
        else:
            power = np.full(len(factors), inputs.sum() * taps / len(inputs))
        return np.asarray((weights.max() / HALF_STEPS) ** 2 / 12 * power)

    def _move(self, group: ChannelGroup, factors: np.ndarray) -> None:
        model = self._model
        for layer in group.writers:
            shape = [1] * self._weights(layer).ndim
            shape[layer.axis] = -1
            model.set_values(layer.weights, self._weights(layer) * factors.reshape(shape))
            if layer.bias >= 0:
                model.set_values(layer.bias, model.values(layer.bias) * factors)
            self._before[layer.name] = self._before[layer.name].scaled(factors)
        for layer in group.readers:
            model.set_values(layer.weights, self._weights(layer) / factors)
        for tensor in group.tensors:
            name = model.name(tensor)
            self._tensors[name] = self._tensors[name].scaled(factors)

    def _spread(self, tensor: int) -> Spread:
        return self._tensors[self._model.name(tensor)]

    def _weights(self, layer: Layer) -> np.ndarray:
        return self._model.values(layer.weights)


def _by_input(layer: Layer, weights: np.ndarray) -> np.ndarray:
    """Sizes of weights, (input channels, everything else); dense rows stand together."""
    if layer.code == OP.DEPTHWISE_CONV_2D:
        return np.asarray(np.abs(weights).reshape(-1, weights.shape[-1]).T)
    return np.asarray(np.abs(np.moveaxis(weights, -1, 0)).reshape(weights.shape[-1], -1))


def _share(sizes: np.ndarray) -> np.ndarray:
    """Sizes beside the largest of them."""
    return np.maximum(sizes / max(float(sizes.max()), 1e-30), SMALLEST_SHARE).astype(np.float64)


def _reach(before: Spread) -> np.ndarray:
    """What the channels of a layer may reach on images that were not seen."""
    deviation = np.sqrt(before.variance)
    expected = before.mean.mean(axis=0) + DEVIATIONS * deviation
    return np.asarray(np.maximum(HEADROOM * before.high.max(axis=0), expected))
