"""Inception-v4, arXiv:1602.07261."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import keras

from mobilekit.architectures.average_pool import IGNORED
from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.towers import THROUGH, Conv, Pool, Split, Tower, tower, towers

# The figures of the paper from the image on; the first three layers of figure 3 stand alone.
STEM = (Conv(32, 3, 2), Conv(32, 3, 1), Conv(64, 3))
ACROSS, DOWN = (1, 7), (7, 1)
MODULES = (
    # Name, repeats, towers: the rest of figure 3, a module for every place where it joins.
    ("stem_3", 1, (THROUGH, (Conv(96, 3, 2),))),
    (
        "stem_4",
        1,
        (
            (Conv(64), Conv(96, 3, 1)),
            (Conv(64), Conv(64, ACROSS), Conv(64, DOWN), Conv(96, 3, 1)),
        ),
    ),
    ("stem_5", 1, ((Conv(192, 3, 2),), THROUGH)),
    (
        "inception_a",  # figure 4
        4,
        (
            (Conv(96),),
            (Conv(64), Conv(96, 3)),
            (Conv(64), Conv(96, 3), Conv(96, 3)),
            (Pool.AVERAGE, Conv(96)),
        ),
    ),
    (
        "reduction_a",  # figure 7; k, l, m, n of table 1
        1,
        ((Conv(384, 3, 2),), (Conv(192), Conv(224, 3), Conv(256, 3, 2)), THROUGH),
    ),
    (
        "inception_b",  # figure 5
        7,
        (
            (Conv(384),),
            (Conv(192), Conv(224, ACROSS), Conv(256, DOWN)),
            (Conv(192), Conv(192, DOWN), Conv(224, ACROSS), Conv(224, DOWN), Conv(256, ACROSS)),
            (Pool.AVERAGE, Conv(128)),
        ),
    ),
    (
        "reduction_b",  # figure 8
        1,
        (
            (Conv(192), Conv(192, 3, 2)),
            (Conv(256), Conv(256, ACROSS), Conv(320, DOWN), Conv(320, 3, 2)),
            THROUGH,
        ),
    ),
    (
        "inception_c",  # figure 6
        3,
        (
            (Conv(256),),
            (Conv(384), Split(256, ((1, 3), (3, 1)))),
            (Conv(384), Conv(448, (3, 1)), Conv(512, (1, 3)), Split(256, ((1, 3), (3, 1)))),
            (Pool.AVERAGE, Conv(256)),
        ),
    ),
)


def inception_v4(
    input_size: tuple[int, int] = (299, 299),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    gamma: str = "no",
    pool_padding: str = IGNORED,
) -> keras.Model:
    """Builds Inception-v4 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 75 or more, so that a pixel is left.
        classes: Length of the output.
        head: What stands behind the last module.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        gamma: "yes" gives batch norm the factor that the convolution behind it makes superfluous.
        pool_padding: "counted" lets average pools divide by the whole window at the border too.
    """
    flavour = replace(flavour, scale=gamma == "yes")
    blocks = Blocks(flavour=flavour, target=target, border=pool_padding)
    image = keras.Input((*input_size, 3), name="image")
    x = tower(blocks, image, STEM, "stem")
    for name, table in modules():
        x = towers(blocks, x, table, name)
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return keras.Model(image, output, name="inception_v4")


def modules() -> Iterator[tuple[str, Sequence[Tower]]]:
    """Name and towers of every module in order."""
    for name, repeats, table in MODULES:
        names = [f"{name}_{index}" for index in range(repeats)] if repeats > 1 else [name]
        yield from ((each, table) for each in names)
