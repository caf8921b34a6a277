"""MnasNet: Platform-Aware Neural Architecture Search for Mobile, arXiv:1807.11626."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras

from mobilekit.architectures.blocks import Blocks, Head, make_divisible
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.inverted_residual import inverted_residual


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One network that the search found: the stem's channels, and one row a stage.

    A stage is kernel k, expansion t, channels c, repeats n, first stride s and se, the channels
    between squeeze and excitation as a share of a block's input; 0 for none.
    """

    stem: int
    stages: tuple[tuple[int, int, int, int, int, float], ...]
    skips_first: bool = False


# tensorflow/tpu models/official/mnasnet, mnasnet_models.py; A1 is Figure 7 of the paper.
VARIANTS: Mapping[str, Variant] = {
    "mnasnet_a1": Variant(
        stem=32,
        stages=(
            (3, 1, 16, 1, 1, 0),
            (3, 6, 24, 2, 2, 0),
            (5, 3, 40, 3, 2, 0.25),
            (3, 6, 80, 4, 2, 0),
            (3, 6, 112, 2, 1, 0.25),
            (5, 6, 160, 3, 2, 0.25),
            (3, 6, 320, 1, 1, 0),
        ),
    ),
    "mnasnet_b1": Variant(
        stem=32,
        stages=(
            (3, 1, 16, 1, 1, 0),
            (3, 3, 24, 3, 2, 0),
            (5, 3, 40, 3, 2, 0),
            (5, 6, 80, 3, 2, 0),
            (3, 6, 96, 2, 1, 0),
            (5, 6, 192, 4, 2, 0),
            (3, 6, 320, 1, 1, 0),
        ),
    ),
    "mnasnet_small": Variant(
        stem=8,
        stages=(
            (3, 1, 8, 1, 1, 0),
            (3, 3, 16, 1, 2, 0),
            (3, 6, 16, 2, 2, 0),
            (5, 6, 32, 4, 2, 0.25),
            (3, 6, 32, 3, 1, 0.25),
            (5, 6, 88, 3, 2, 0.25),
            (3, 6, 144, 1, 1, 0),
        ),
        skips_first=True,
    ),
}


def blocks_of(name: str) -> Iterator[tuple[int, int, int, int, float]]:
    """Kernel, expansion, channels before scaling, stride and se of every block."""
    for kernel, expansion, channels, repeats, stride, squeeze in VARIANTS[name].stages:
        for repeat in range(repeats):
            yield kernel, expansion, channels, stride if repeat == 0 else 1, squeeze


def mnasnet_a1(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MnasNet-A1 with random weights: see `_build`."""
    return _build("mnasnet_a1", input_size, classes, alpha, head, flavour, target)


def mnasnet_b1(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MnasNet-B1 with random weights: see `_build`."""
    return _build("mnasnet_b1", input_size, classes, alpha, head, flavour, target)


def mnasnet_small(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MnasNet-small with random weights: see `_build`."""
    return _build("mnasnet_small", input_size, classes, alpha, head, flavour, target)


def _build(
    name: str,
    input_size: tuple[int, int],
    classes: int,
    alpha: float,
    head: Head,
    flavour: Flavour,
    target: str | None,
) -> keras.Model:
    """Builds a MnasNet: (N, H, W, 3) -> (N, classes).

    Args:
        name: A key of `VARIANTS`.
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: Width multiplier of all but the last convolution, which keeps its 1280 channels.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
    """
    variant = VARIANTS[name]
    blocks = Blocks(flavour=flavour, target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, make_divisible(variant.stem * alpha), 3, stride=2, name="stem")
    for index, (kernel, expansion, channels, stride, squeeze) in enumerate(blocks_of(name)):
        x = inverted_residual(
            blocks,
            x,
            make_divisible(channels * alpha),
            name=f"block_{index}",
            expansion=expansion,
            kernel=kernel,
            stride=stride,
            squeeze=int(x.shape[-1] * squeeze),
            skip=index > 0 or variant.skips_first,
        )
    x = blocks.conv(x, 1280, 1, name="last")
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return keras.Model(image, output, name=name)
