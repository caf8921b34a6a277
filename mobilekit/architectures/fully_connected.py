"""The hidden dense layers that stood before the classes until GoogLeNet averaged them away."""

from __future__ import annotations

import keras
from keras import initializers, layers

from mobilekit.architectures.blocks import Blocks, Head

UNITS = 4096
DROPOUT = 0.5
# AlexNet's paper and VGG drop out behind a hidden layer, torchvision's AlexNet before it.
BEHIND = ("fc_1", "dropout_1", "fc_2", "dropout_2")
BEFORE = ("dropout_1", "fc_1", "dropout_2", "fc_2")


def fully_connected(
    blocks: Blocks,
    x: keras.KerasTensor,
    classes: int,
    head: Head,
    order: tuple[str, ...] = BEHIND,
) -> keras.KerasTensor:
    """Flatten, two hidden layers with dropout, dense: -> (N, classes); `x` itself for no head.

    The first hidden layer has a weight for every pixel, so parameters grow with the input.
    """
    if head is Head.NONE:
        return x
    x = layers.Flatten(name="flatten")(x)
    for name in order:
        if name.startswith("dropout"):
            x = layers.Dropout(DROPOUT, name=name)(x)
        else:
            x = layers.Dense(UNITS, kernel_initializer=initializers.HeNormal(), name=name)(x)
            x = blocks.activate(x, name)
    return blocks.logits(x, classes, head)
