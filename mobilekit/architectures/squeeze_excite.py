"""Squeeze-and-Excitation Networks, arXiv:1709.01507, in the form of MobileNetV3's blocks."""

from __future__ import annotations

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks


def squeeze_excite(
    blocks: Blocks,
    x: keras.KerasTensor,
    channels: int,
    *,
    name: str,
    gate: str = "hard_sigmoid",
    activation: str = "relu",
) -> keras.KerasTensor:
    """Weighs the channels of (N, H, W, C) by what their means say.

    The mean keeps its four dimensions and the two layers behind it are 1x1 convolutions, so that
    no reshape stands in the file and the last multiplication only repeats pixels.

    Args:
        blocks: The network's layers.
        x: (N, H, W, C).
        channels: Width of the bottleneck; what it is of C differs from paper to paper.
        name: Of the whole; its layers are `<name>_pool`, `_reduce`, `_expand`, `_multiply`.
        gate: What makes weights of 0..1: "hard_sigmoid" or "sigmoid".
        activation: Inside the bottleneck.
    """
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    reduce, expand = f"{name}_reduce", f"{name}_expand"
    weights = blocks.conv(weights, channels, 1, name=reduce, norm=False, activation=activation)
    weights = blocks.conv(weights, x.shape[-1], 1, name=expand, norm=False, activation=LINEAR)
    weights = blocks.activate(weights, expand, gate)
    return layers.Multiply(name=f"{name}_multiply")([x, weights])
