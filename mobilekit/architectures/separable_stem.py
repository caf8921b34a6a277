"""The first convolution of the first Inceptions, as a full kernel or as a separable one."""

from __future__ import annotations

import keras
from keras import initializers, layers

from mobilekit.architectures.blocks import Blocks

FILTERS = 64
KERNEL = 7
# Eight filters over each of red, green and blue, so that 24 channels become 64.
MULTIPLIER = 8
FULL = "full"
SEPARABLE = "separable"


def first_convolution(
    blocks: Blocks, image: keras.KerasTensor, kind: str, *, norm: bool = True
) -> keras.KerasTensor:
    """Convolution 7x7 with stride 2: (N, H, W, 3) -> (N, H/2, W/2, 64).

    Args:
        blocks: The network's.
        image: Its input.
        kind: "full", or "separable" for what GoogLeNet's Table 1 counts and slim's Inception v2
            has: a bias and no batch norm, with the border of TensorFlow, where it is from.
        norm: Whether batch norm follows the full one.
    """
    if kind == FULL:
        return blocks.conv(image, FILTERS, KERNEL, stride=2, name="conv_1", norm=norm)
    x = layers.DepthwiseConv2D(
        KERNEL,
        2,
        padding="same",
        depth_multiplier=MULTIPLIER,
        use_bias=False,
        depthwise_initializer=initializers.RandomNormal(stddev=1 / KERNEL),
        name="conv_1_depthwise",
    )(image)
    return blocks.conv(x, FILTERS, 1, name="conv_1", norm=False)
