"""Flattened Convolutional Neural Networks for Feedforward Acceleration, arXiv:1412.5474."""

from __future__ import annotations

import keras
from keras import initializers, layers

from mobilekit.architectures.blocks import LINEAR, Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour

# The base network: channels of three 5x5 convolutions, each with a pool behind it.
CHANNELS = (96, 128, 256)
KERNEL = 5
# How often lateral, vertical and horizontal filters stand in for one convolution (figure 2).
LEVELS = 2
UNITS = 256  # of the hidden dense layer; see the row


def flattened(
    input_size: tuple[int, int] = (32, 32),
    classes: int = 10,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    convolution: str = "flattened",
) -> keras.Model:
    """Builds the network for CIFAR with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 8 or more, since the pools divide by 8.
        classes: Length of the output.
        head: What stands behind the last pool.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        convolution: "flattened", or "full" for the base network that it is compared with.
    """
    blocks = Blocks(flavour=flavour, target=target)
    x = image = keras.Input((*input_size, 3), name="image")
    for number, channels in enumerate(CHANNELS, 1):
        name = f"conv_{number}"
        # The first convolution has three input channels, and is left as it is.
        if number == 1 or convolution == "full":
            x = blocks.conv(x, channels, KERNEL, norm=False, name=name)
        else:
            x = _flattened(blocks, x, channels, name)
        x = blocks.max_pool(x, 2, name=f"pool_{number}")
    return keras.Model(image, _perceptron(blocks, x, classes, head), name="flattened")


def _flattened(blocks: Blocks, x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """Filters over channels, columns and rows, each with a bias, without activations between.

    The paper widens the map by its vertical and horizontal filters to keep the size of the base
    network; here their border does that.
    """
    for level in range(1, LEVELS + 1):
        lateral, vertical, horizontal = (
            f"{name}_{part}_{level}" for part in ("lateral", "vertical", "horizontal")
        )
        x = blocks.conv(x, channels, 1, norm=False, activation=LINEAR, name=lateral)
        x = blocks.depthwise(x, (KERNEL, 1), norm=False, activation=LINEAR, name=vertical)
        x = blocks.depthwise(x, (1, KERNEL), norm=False, activation=LINEAR, name=horizontal)
    return blocks.activate(x, name)


def _perceptron(
    blocks: Blocks, x: keras.KerasTensor, classes: int, head: Head
) -> keras.KerasTensor:
    """Two dense layers: -> (N, classes); `x` itself for no head."""
    if head is Head.NONE:
        return x
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(UNITS, kernel_initializer=initializers.HeNormal(), name="fc_1")(x)
    return blocks.logits(blocks.activate(x, "fc_1"), classes, head)
