"""Inception-ResNet-v1, Inception-ResNet-v2: Inception modules as residuals, arXiv:1602.07261."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import keras
from keras import layers

from mobilekit.architectures.average_pool import IGNORED
from mobilekit.architectures.blocks import LINEAR, Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.towers import THROUGH, Conv, Pool, Tower, tower, towers


class Stage(NamedTuple):
    """One kind of module.

    Attributes:
        name: Of the module; numbered where it repeats.
        towers: Side by side.
        residuals: How often they stand as residuals; 0 for a module whose towers are the output.
        scale: What a residual is multiplied with before it is added.
        activation: What follows the addition.
    """

    name: str
    towers: Sequence[Tower]
    residuals: int = 0
    scale: float = 1.0
    activation: str = "relu"

    def names(self) -> Iterator[str]:
        """Names of its modules in order."""
        if self.residuals > 1:
            yield from (f"{self.name}_{index}" for index in range(self.residuals))
        else:
            yield self.name


ACROSS, DOWN = (1, 7), (7, 1)
# Figures 14, 10, 7, 11, 12 and 13, with k, l, m, n of table 1; scales are slim's.
STEM_V1 = (
    *(Conv(32, 3, 2), Conv(32, 3, 1), Conv(64, 3), Pool.MAX),
    *(Conv(80), Conv(192, 3, 1), Conv(256, 3, 2)),
)
STAGES_V1 = (
    Stage(
        "block_a",
        ((Conv(32),), (Conv(32), Conv(32, 3)), (Conv(32), Conv(32, 3), Conv(32, 3))),
        residuals=5,
        scale=0.17,
    ),
    Stage(
        "reduction_a",
        ((Conv(384, 3, 2),), (Conv(192), Conv(192, 3), Conv(256, 3, 2)), THROUGH),
    ),
    Stage(
        "block_b",
        ((Conv(128),), (Conv(128), Conv(128, ACROSS), Conv(128, DOWN))),
        residuals=10,
        scale=0.10,
    ),
    Stage(
        "reduction_b",
        (
            (Conv(256), Conv(384, 3, 2)),
            (Conv(256), Conv(256, 3, 2)),
            (Conv(256), Conv(256, 3), Conv(256, 3, 2)),
            THROUGH,
        ),
    ),
    Stage(
        "block_c",
        ((Conv(192),), (Conv(192), Conv(192, (1, 3)), Conv(192, (3, 1)))),
        residuals=5,
        scale=0.20,
    ),
)

# slim's code and Keras': the stem of Inception V3, a module of it, and twice as many residuals as
# in figure 15, with channels that add up.
STEM_V2 = (*STEM_V1[:-1], Pool.MAX)
BLOCK_C_V2 = ((Conv(192),), (Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1))))
STAGES_V2 = (
    Stage(
        "mixed",
        (
            (Conv(96),),
            (Conv(48), Conv(64, 5)),
            (Conv(64), Conv(96, 3), Conv(96, 3)),
            (Pool.AVERAGE, Conv(64)),
        ),
    ),
    Stage(
        "block_a",
        ((Conv(32),), (Conv(32), Conv(32, 3)), (Conv(32), Conv(48, 3), Conv(64, 3))),
        residuals=10,
        scale=0.17,
    ),
    Stage(
        "reduction_a",
        ((Conv(384, 3, 2),), (Conv(256), Conv(256, 3), Conv(384, 3, 2)), THROUGH),
    ),
    Stage(
        "block_b",
        ((Conv(192),), (Conv(128), Conv(160, ACROSS), Conv(192, DOWN))),
        residuals=20,
        scale=0.10,
    ),
    Stage(
        "reduction_b",
        (
            (Conv(256), Conv(384, 3, 2)),
            (Conv(256), Conv(288, 3, 2)),
            (Conv(256), Conv(288, 3), Conv(320, 3, 2)),
            THROUGH,
        ),
    ),
    Stage("block_c", BLOCK_C_V2, residuals=9, scale=0.20),
    Stage("block_c_9", BLOCK_C_V2, residuals=1, activation=LINEAR),
)


def inception_resnet_v1(
    input_size: tuple[int, int] = (299, 299),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    scaling: str = "yes",
    gamma: str = "no",
) -> keras.Model:
    """Builds Inception-ResNet-v1 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 75 or more, so that a pixel is left.
        classes: Length of the output.
        head: What stands behind the last module.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        scaling: "yes" multiplies residuals by 0.1 to 0.2 before it adds them (section 3.3).
        gamma: "yes" gives batch norm the factor that the convolution behind it makes superfluous.
    """
    blocks = Blocks(flavour=replace(flavour, scale=gamma == "yes"), target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = tower(blocks, image, STEM_V1, "stem")
    x = _stages(blocks, x, STAGES_V1, scaling)
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return keras.Model(image, output, name="inception_resnet_v1")


def inception_resnet_v2(
    input_size: tuple[int, int] = (299, 299),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    scaling: str = "yes",
    gamma: str = "no",
    pool_padding: str = IGNORED,
) -> keras.Model:
    """Builds Inception-ResNet-v2 with random weights; the arguments are those of v1, and one more.

    `pool_padding` "counted" lets average pools divide by the whole window at the border too.
    """
    flavour = replace(flavour, scale=gamma == "yes")
    blocks = Blocks(flavour=flavour, target=target, border=pool_padding)
    image = keras.Input((*input_size, 3), name="image")
    x = tower(blocks, image, STEM_V2, "stem")
    x = _stages(blocks, x, STAGES_V2, scaling)
    x = blocks.conv(x, 1536, 1, name="last")
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return keras.Model(image, output, name="inception_resnet_v2")


def _stages(
    blocks: Blocks, x: keras.KerasTensor, stages: Sequence[Stage], scaling: str
) -> keras.KerasTensor:
    for stage in stages:
        scale = stage.scale if scaling == "yes" else 1.0
        for name in stage.names():
            y = towers(blocks, x, stage.towers, name)
            x = residual(blocks, x, y, scale, stage.activation, name) if stage.residuals else y
    return x


def residual(
    blocks: Blocks,
    x: keras.KerasTensor,
    y: keras.KerasTensor,
    scale: float,
    activation: str,
    name: str,
) -> keras.KerasTensor:
    """Brings `y` to the channels of `x` and adds it: figure 20; the convolution is linear."""
    y = blocks.conv(y, x.shape[-1], 1, name=f"{name}_expand", activation=LINEAR, norm=False)
    if scale != 1.0:
        y = layers.Rescaling(scale, name=f"{name}_scale")(y)
    return blocks.activate(layers.Add(name=f"{name}_add")([x, y]), name, activation)
