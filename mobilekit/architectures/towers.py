"""Towers of convolutions side by side, as Inception modules have them, built from tables."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import keras
from keras import layers

from mobilekit.architectures.blocks import Blocks

Kernel = int | tuple[int, int]


class Conv(NamedTuple):
    """A convolution with batch norm and activation.

    Attributes:
        filters: Channels that it makes.
        kernel: Height and width, pixels.
        stride: What the figures of the papers mark "V": there is no border then. None, as most
            have it, is a border and one step a pixel.
        activation: What follows it; None for the network's.
    """

    filters: int
    kernel: Kernel = 1
    stride: int | None = None
    activation: str | None = None


class Split(NamedTuple):
    """A convolution of each kernel, side by side, concatenated."""

    filters: int
    kernels: tuple[tuple[int, int], ...]


class Pool(enum.Enum):
    """A pool over 3x3 pixels."""

    AVERAGE = enum.auto()  # with a border, one step a pixel
    MAX = enum.auto()  # without one, two steps


Step = Conv | Split | Pool
Tower = Sequence[Step]
THROUGH: Tower = (Pool.MAX,)  # the tower that leaves channels as they are, and halves the map


def towers(
    blocks: Blocks, x: keras.KerasTensor, table: Sequence[Tower], name: str
) -> keras.KerasTensor:
    """Every tower over the same input, concatenated: (N, H, W, C) -> (N, h, w, all filters)."""
    ends = [tower(blocks, x, steps, f"{name}_tower_{place}") for place, steps in enumerate(table)]
    return layers.Concatenate(name=f"{name}_concat")(ends)


def tower(blocks: Blocks, x: keras.KerasTensor, steps: Tower, name: str) -> keras.KerasTensor:
    """One step behind the other, named `<name>_<place>`: -> (N, h, w, the last filters)."""
    for place, step in enumerate(steps):
        x = _apply(blocks, x, step, f"{name}_{place}")
    return x


def conv_names(table: Sequence[Tower], name: str) -> Iterator[str]:
    """Names of the convolutions of `towers`, tower by tower."""
    for place, steps in enumerate(table):
        yield from tower_names(steps, f"{name}_tower_{place}")


def tower_names(steps: Tower, name: str) -> Iterator[str]:
    """Names of the convolutions of `tower`."""
    for place, step in enumerate(steps):
        if isinstance(step, Conv):
            yield f"{name}_{place}"
        elif isinstance(step, Split):
            yield from (_split_name(f"{name}_{place}", kernel) for kernel in step.kernels)


def _apply(blocks: Blocks, x: keras.KerasTensor, step: Step, name: str) -> keras.KerasTensor:
    if isinstance(step, Split):
        # Concatenated here, since XNNPACK leaves a concatenation of six to the built-in kernels.
        ends = [
            blocks.conv(x, step.filters, kernel, name=_split_name(name, kernel))
            for kernel in step.kernels
        ]
        return layers.Concatenate(name=f"{name}_concat")(ends)
    if isinstance(step, Conv):
        stride, padding = (step.stride, "valid") if step.stride else (1, "same")
        return blocks.conv(
            x,
            step.filters,
            step.kernel,
            name=name,
            stride=stride,
            padding=padding,
            activation=step.activation,
        )
    if step is Pool.AVERAGE:
        return blocks.average_pool(x, 3, name=name)
    return blocks.max_pool(x, 3, name=name)


def _split_name(name: str, kernel: tuple[int, int]) -> str:
    return f"{name}_{kernel[0]}x{kernel[1]}"
