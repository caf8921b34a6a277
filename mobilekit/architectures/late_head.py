"""The head of MobileNetV3 and of those after it: its last convolution is behind the pool."""

from __future__ import annotations

import keras
from keras import layers

from mobilekit.architectures.blocks import Blocks, Head


def late_head(
    blocks: Blocks,
    x: keras.KerasTensor,
    features: int,
    classes: int,
    head: Head,
    *,
    norm: bool,
    dropout: float = 0.2,
) -> keras.KerasTensor:
    """Mean over positions, 1x1 convolution, dropout, dense: (N, H, W, C) -> (N, classes).

    Source: arXiv:1905.02244, section 5.1 and Figure 5: at one position instead of 49 the widest
    convolution costs nearly nothing.

    Args:
        blocks: The network's layers.
        x: What the last block gives; returned as it is for no head.
        features: Channels of the convolution, which is named `head`.
        classes: Length of the output.
        head: What stands at the end.
        norm: Whether a batch norm follows the convolution, or it has a bias.
        dropout: Share of features that training leaves out.
    """
    if head is Head.NONE:
        return x
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    x = blocks.conv(x, features, 1, name="head", norm=norm)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return blocks.logits(x, classes, head)
