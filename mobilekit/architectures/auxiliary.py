"""Classifiers in the middle of a network, which only training looks at."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from mobilekit.architectures.blocks import Blocks, Head


def pooled(blocks: Blocks, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """What both papers begin one with: means over 5x5, three apart: -> (N, h, w, C)."""
    return blocks.average_pool(x, window(x), stride=3, padding="valid", name=f"{name}_pool")


def window(x: keras.KerasTensor, size: int = 5) -> int:
    """The side of a window of `size` pixels, or of the map where that is smaller, as in slim."""
    return min(size, int(x.shape[1]), int(x.shape[2]))


def side_output(x: keras.KerasTensor, classes: int, head: Head, name: str) -> keras.KerasTensor:
    """The classes of one auxiliary classifier: (N, features) -> (N, classes)."""
    x = layers.Dense(classes, name=f"{name}_logits")(x)
    return x if head is Head.LOGITS else layers.Softmax(name=f"{name}_probabilities")(x)


def network(
    name: str,
    image: keras.KerasTensor,
    output: keras.KerasTensor,
    others: Sequence[keras.KerasTensor],
) -> keras.Model:
    """A model whose first output is `output`, and the only one where there are no others."""
    return keras.Model(image, [output, *others] if others else output, name=name)
