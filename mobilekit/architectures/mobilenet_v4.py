"""MobileNetV4: Universal Models for the Mobile Ecosystem, arXiv:2404.10518, without attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks, Head, make_divisible
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.late_head import late_head

# A block: kind, kernel at its start, kernel in its middle, stride, channels, expansion. A kernel of
# 0 is no convolution.
Row = tuple[str, int, int, int, int, int]
CONV, FUSED, UIB = "conv", "fused", "uib"

# The appendix's tables of the paper, one tuple a stage, behind the stem.
SMALL: tuple[tuple[Row, ...], ...] = (
    ((CONV, 0, 3, 2, 32, 1), (CONV, 0, 1, 1, 32, 1)),
    ((CONV, 0, 3, 2, 96, 1), (CONV, 0, 1, 1, 64, 1)),
    ((UIB, 5, 5, 2, 96, 3), *((UIB, 0, 3, 1, 96, 2),) * 4, (UIB, 3, 0, 1, 96, 4)),
    (
        (UIB, 3, 3, 2, 128, 6),
        (UIB, 5, 5, 1, 128, 4),
        (UIB, 0, 5, 1, 128, 4),
        (UIB, 0, 5, 1, 128, 3),
        *((UIB, 0, 3, 1, 128, 4),) * 2,
    ),
)
MEDIUM: tuple[tuple[Row, ...], ...] = (
    ((FUSED, 0, 3, 2, 48, 4),),
    ((UIB, 3, 5, 2, 80, 4), (UIB, 3, 3, 1, 80, 2)),
    (
        (UIB, 3, 5, 2, 160, 6),
        *((UIB, 3, 3, 1, 160, 4),) * 2,
        (UIB, 3, 5, 1, 160, 4),
        (UIB, 3, 3, 1, 160, 4),
        (UIB, 3, 0, 1, 160, 4),
        (UIB, 0, 0, 1, 160, 2),
        (UIB, 3, 0, 1, 160, 4),
    ),
    (
        (UIB, 5, 5, 2, 256, 6),
        (UIB, 5, 5, 1, 256, 4),
        *((UIB, 3, 5, 1, 256, 4),) * 2,
        (UIB, 0, 0, 1, 256, 4),
        (UIB, 3, 0, 1, 256, 4),
        (UIB, 3, 5, 1, 256, 2),
        (UIB, 5, 5, 1, 256, 4),
        *((UIB, 0, 0, 1, 256, 4),) * 2,
        (UIB, 5, 0, 1, 256, 2),
    ),
)
LARGE: tuple[tuple[Row, ...], ...] = (
    ((FUSED, 0, 3, 2, 48, 4),),
    ((UIB, 3, 5, 2, 96, 4), (UIB, 3, 3, 1, 96, 4)),
    (
        (UIB, 3, 5, 2, 192, 4),
        *((UIB, 3, 3, 1, 192, 4),) * 3,
        (UIB, 3, 5, 1, 192, 4),
        *((UIB, 5, 3, 1, 192, 4),) * 5,
        (UIB, 3, 0, 1, 192, 4),
    ),
    (
        (UIB, 5, 5, 2, 512, 4),
        *((UIB, 5, 5, 1, 512, 4),) * 3,
        (UIB, 5, 0, 1, 512, 4),
        (UIB, 5, 3, 1, 512, 4),
        *((UIB, 5, 0, 1, 512, 4),) * 2,
        (UIB, 5, 3, 1, 512, 4),
        (UIB, 5, 5, 1, 512, 4),
        *((UIB, 5, 0, 1, 512, 4),) * 3,
    ),
)
# Stages, and channels of the stem.
VARIANTS = {
    "mobilenet_v4_conv_small": (SMALL, 32),
    "mobilenet_v4_conv_medium": (MEDIUM, 32),
    "mobilenet_v4_conv_large": (LARGE, 24),
}


def mobilenet_v4_conv_small(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MobileNetV4-Conv-S with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: A width multiplier as timm has it: below 1 the stem keeps its channels.
        head: What stands behind the last convolution of the map.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
    """
    blocks = Blocks(flavour=flavour, target=target)
    return _network("mobilenet_v4_conv_small", blocks, input_size, classes, alpha, head)


def mobilenet_v4_conv_medium(
    input_size: tuple[int, int] = (256, 256),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MobileNetV4-Conv-M with random weights; arguments as `mobilenet_v4_conv_small`."""
    blocks = Blocks(flavour=flavour, target=target)
    return _network("mobilenet_v4_conv_medium", blocks, input_size, classes, alpha, head)


def mobilenet_v4_conv_large(
    input_size: tuple[int, int] = (384, 384),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MobileNetV4-Conv-L with random weights; arguments as `mobilenet_v4_conv_small`."""
    blocks = Blocks(flavour=flavour, target=target)
    return _network("mobilenet_v4_conv_large", blocks, input_size, classes, alpha, head)


def _network(
    name: str,
    blocks: Blocks,
    input_size: tuple[int, int],
    classes: int,
    alpha: float,
    head: Head,
) -> keras.Model:
    stages, stem = VARIANTS[name]
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, make_divisible(stem * max(1.0, alpha)), 3, stride=2, name="stem")
    rows = [row for stage in stages for row in stage]
    for index, (kind, start, middle, stride, channels, expansion) in enumerate(rows):
        filters = make_divisible(channels * alpha)
        expanded = make_divisible(expansion * x.shape[-1])
        x = KINDS[kind](blocks, x, filters, f"block_{index}", (start, middle), stride, expanded)
    x = blocks.conv(x, make_divisible(960 * alpha), 1, name="last")
    output = late_head(blocks, x, 1280, classes, head, norm=True)
    return keras.Model(image, output, name=name)


def _conv(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: int,
    name: str,
    kernels: tuple[int, int],
    stride: int,
    expanded: int,
) -> keras.KerasTensor:
    return blocks.conv(x, filters, kernels[1], stride=stride, name=name)


def _fused(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: int,
    name: str,
    kernels: tuple[int, int],
    stride: int,
    expanded: int,
) -> keras.KerasTensor:
    """One dense convolution that expands and strides, one that projects."""
    y = blocks.conv(x, expanded, kernels[1], stride=stride, name=f"{name}_expand")
    y = blocks.conv(y, filters, 1, name=f"{name}_project", activation=LINEAR)
    return _added(x, y, name)


def _uib(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: int,
    name: str,
    kernels: tuple[int, int],
    stride: int,
    expanded: int,
) -> keras.KerasTensor:
    """The universal inverted bottleneck: two depthwise convolutions that may each be absent.

    Source: arXiv:2404.10518, Figure 4. The one in the middle strides; the one at the start does
    where it is alone, and has no activation.
    """
    start, middle = kernels
    y = x
    if start:
        early = 1 if middle else stride
        y = blocks.depthwise(y, start, stride=early, name=f"{name}_start", activation=LINEAR)
    y = blocks.conv(y, expanded, 1, name=f"{name}_expand")
    if middle:
        y = blocks.depthwise(y, middle, stride=stride, name=f"{name}_depthwise")
    y = blocks.conv(y, filters, 1, name=f"{name}_project", activation=LINEAR)
    return _added(x, y, name)


def _added(x: keras.KerasTensor, y: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.Add(name=f"{name}_add")([x, y]) if x.shape == y.shape else y


KINDS: Mapping[str, Callable[..., keras.KerasTensor]] = {CONV: _conv, FUSED: _fused, UIB: _uib}
