"""A deconvolution of every channel by itself, which neither Keras nor TFLite has as one layer."""

from __future__ import annotations

import keras
from keras import initializers, layers

from mobilekit.architectures.blocks import Blocks


def depthwise_deconvolution(
    blocks: Blocks, x: keras.KerasTensor, size: int, name: str
) -> keras.KerasTensor:
    """Every pixel becomes size x size, by one filter a channel: -> (N, size H, size W, C).

    Kernel and stride are equal, so that each weight makes an image of its own of all pixels: a
    depthwise 1x1 convolution. They are interleaved by being laid side by side and read in another
    shape, columns along the channels, rows along the columns. The activation stands before that,
    where it is part of a convolution; XNNPACK takes no int8 RELU by itself.
    """
    height, width, channels = x.shape[1:]
    rows = []
    for row in range(size):
        images = [_image(blocks, x, f"{name}_{row}{column}") for column in range(size)]
        beside = layers.Concatenate(name=f"{name}_{row}_columns")(images)
        shape = (height, size * width, channels)
        rows.append(layers.Reshape(shape, name=f"{name}_{row}")(beside))
    below = layers.Concatenate(axis=2, name=f"{name}_rows")(rows)
    return layers.Reshape((size * height, size * width, channels), name=name)(below)


def _image(blocks: Blocks, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(
        1,
        use_bias=False,
        depthwise_initializer=initializers.RandomNormal(stddev=1.0),
        name=name,
    )(x)
    return blocks.activate(x, name)
