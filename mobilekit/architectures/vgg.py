"""VGG: Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv:1409.1556."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras

from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.fully_connected import fully_connected

# Table 1 of the paper: channels of the five blocks, and kernels of each block's convolutions.
CHANNELS = (64, 128, 256, 512, 512)
KERNELS = {
    "vgg11": ((3,), (3,), (3, 3), (3, 3), (3, 3)),  # A
    "vgg13": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),  # B
    "vgg16_c": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),  # C
    "vgg16": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),  # D
    "vgg19": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),  # E
}


def convolutions(name: str) -> list[tuple[int, int, int]]:
    """Block and number of every convolution, both from 1, and its kernel."""
    return [
        (block, number, kernel)
        for block, kernels in enumerate(KERNELS[name], 1)
        for number, kernel in enumerate(kernels, 1)
    ]


def _builder(name: str) -> Callable[..., keras.Model]:
    def build(
        input_size: tuple[int, int] = (224, 224),
        classes: int = 1000,
        head: Head = Head.LOGITS,
        flavour: Flavour = TENSORFLOW,
        target: str | None = None,
        norm: str = "none",
    ) -> keras.Model:
        """Builds a VGG with random weights: (N, H, W, 3) -> (N, classes).

        Args:
            input_size: Height and width, pixels; 32 or more, since the pools divide by 32.
            classes: Length of the output.
            head: What stands behind the last pool.
            flavour: Conventions of the framework whose weights will be loaded.
            target: The delegate to please.
            norm: "none" as the paper; "batch" has batch norm behind every convolution, which
                keeps its bias, as torchvision's has.
        """
        blocks = Blocks(flavour=replace(flavour, bias=True), target=target)
        x = image = keras.Input((*input_size, 3), name="image")
        for block, number, kernel in convolutions(name):
            if number == 1 and block > 1:
                x = blocks.max_pool(x, 2, name=f"pool_{block - 1}")
            layer = f"block_{block}_conv_{number}"
            x = blocks.conv(x, CHANNELS[block - 1], kernel, name=layer, norm=norm == "batch")
        x = blocks.max_pool(x, 2, name=f"pool_{len(CHANNELS)}")
        return keras.Model(image, fully_connected(blocks, x, classes, head), name=name)

    return build


vgg11 = _builder("vgg11")
vgg13 = _builder("vgg13")
vgg16_c = _builder("vgg16_c")
vgg16 = _builder("vgg16")
vgg19 = _builder("vgg19")
