"""Xception, and the Inception modules between it and a plain convolution, arXiv:1610.02357."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour

# Figure 5 of the paper: filters of the modules of each block; a block without a pool adds its input
# as it is, the others through a 1x1 convolution.
ENTRY = ((128, 128), (256, 256), (728, 728))
MIDDLE = ((728, 728, 728),) * 8
EXIT = ((728, 1024),)
BLOCKS = (
    *((f"entry_{index}", filters, True) for index, filters in enumerate(ENTRY)),
    *((f"middle_{index}", filters, False) for index, filters in enumerate(MIDDLE)),
    *((f"exit_{index}", filters, True) for index, filters in enumerate(EXIT)),
)
LAST = (1536, 2048)
EXTREME = "extreme"

# What stands where the paper has a separable convolution: blocks, input, filters, name.
Module = Callable[[Blocks, keras.KerasTensor, int, str], keras.KerasTensor]


def xception(
    input_size: tuple[int, int] = (299, 299),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    between: str = LINEAR,
) -> keras.Model:
    """Builds Xception with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 37 or more, so that every stride halves.
        classes: Length of the output.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        between: The activation between a depthwise convolution and its pointwise one: figure 10
            compares none with ReLU and ELU.
    """

    def separable(
        blocks: Blocks, x: keras.KerasTensor, filters: int, name: str
    ) -> keras.KerasTensor:
        x = blocks.depthwise(
            x, 3, name=f"{name}_depthwise", activation=between, norm=False, bias=False
        )
        return blocks.conv(x, filters, 1, name=f"{name}_pointwise", activation=LINEAR)

    blocks = Blocks(flavour=flavour, target=target)
    return _network(blocks, input_size, classes, head, separable, "xception")


def xception_towers(
    input_size: tuple[int, int] = (299, 299),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    segments: str = "4",
    between: str = "relu",
) -> keras.Model:
    """Builds Xception of Inception modules with random weights: (N, H, W, 3) -> (N, classes).

    A module is figure 3's: one 1x1 convolution, and 3x3 convolutions over segments of its channels,
    which do not overlap. The paper says that of one module; filters, blocks and what stands around
    them are figure 5's, each module in the place of a separable convolution.

    Args:
        input_size: Height and width, pixels; 37 or more, so that every stride halves.
        classes: Length of the output.
        head: What stands behind the last module.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        segments: How many 3x3 convolutions share the channels: 1 is a plain convolution, 3 or 4
            are an Inception module's, "extreme" is one a channel (figure 4).
        between: The activation between the 1x1 and the 3x3; Inception modules have ReLU.
    """

    def module(blocks: Blocks, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        x = blocks.conv(x, filters, 1, name=f"{name}_1x1", activation=between)
        if segments == EXTREME:
            return blocks.depthwise(x, 3, name=f"{name}_3x3", activation=LINEAR)
        return blocks.conv(
            x, filters, 3, name=f"{name}_3x3", activation=LINEAR, groups=int(segments)
        )

    blocks = Blocks(flavour=flavour, target=target)
    return _network(blocks, input_size, classes, head, module, "xception_towers")


def _network(
    blocks: Blocks,
    input_size: tuple[int, int],
    classes: int,
    head: Head,
    module: Module,
    name: str,
) -> keras.Model:
    """Figure 5 with `module` for its separable convolutions; an activation is before each."""
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, 32, 3, name="stem_0", stride=2, padding="valid")
    x = blocks.conv(x, 64, 3, name="stem_1", padding="valid")
    for block, filters, pooled in BLOCKS:
        shortcut = x
        for index, width in enumerate(filters):
            if index:
                x = blocks.activate(x, f"{block}_{index}")
            elif block != "entry_0":  # the stem has activated its output
                x = blocks.activate_apart(x, f"{block}_{index}")
            x = module(blocks, x, width, f"{block}_{index}")
        if pooled:
            x = blocks.max_pool(x, 3, name=f"{block}_pool", padding="same")
            shortcut = blocks.conv(
                shortcut, filters[-1], 1, name=f"{block}_shortcut", stride=2, activation=LINEAR
            )
        x = layers.Add(name=f"{block}_add")([x, shortcut])
    for index, width in enumerate(LAST):
        x = module(blocks, x, width, f"last_{index}")
        x = blocks.activate(x, f"last_{index}")
    return keras.Model(image, blocks.classifier(x, classes, head, dropout=0.5), name=name)
