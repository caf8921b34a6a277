"""EfficientNet-Lite: EfficientNet (arXiv:1905.11946) without squeeze-and-excitation, with ReLU6."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras

from mobilekit.architectures.blocks import Blocks, Head, make_divisible
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.inverted_residual import inverted_residual

# Table 1 of the paper (EfficientNet-B0), one row a stage: kernel k, expansion t, channels c,
# repeats n, first stride s.
STAGES = (
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (5, 6, 40, 2, 2),
    (3, 6, 80, 3, 2),
    (5, 6, 112, 3, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How a variant is larger than Lite0: factors of channels and repeats, and its dropout."""

    width: float
    depth: float
    dropout: float


# tensorflow/tpu models/official/efficientnet/lite, efficientnet_lite_builder.py.
SCALES: Mapping[str, Scale] = {
    "efficientnet_lite0": Scale(width=1.0, depth=1.0, dropout=0.2),
    "efficientnet_lite1": Scale(width=1.0, depth=1.1, dropout=0.2),
    "efficientnet_lite2": Scale(width=1.1, depth=1.2, dropout=0.3),
    "efficientnet_lite3": Scale(width=1.2, depth=1.4, dropout=0.3),
    "efficientnet_lite4": Scale(width=1.4, depth=1.8, dropout=0.3),
}


def repeats_of(name: str) -> tuple[int, ...]:
    """Blocks of every stage; the first and the last stage are as deep in every Lite."""
    last = len(STAGES) - 1
    return tuple(
        repeats if stage in (0, last) else math.ceil(repeats * SCALES[name].depth)
        for stage, (_, _, _, repeats, _) in enumerate(STAGES)
    )


def blocks_of(name: str) -> Iterator[tuple[int, int, int, int]]:
    """Kernel, expansion, channels before scaling and stride of every block."""
    for (kernel, expansion, channels, _, stride), repeats in zip(
        STAGES, repeats_of(name), strict=True
    ):
        for repeat in range(repeats):
            yield kernel, expansion, channels, stride if repeat == 0 else 1


def efficientnet_lite0(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite0 with random weights: see `_build`."""
    return _build("efficientnet_lite0", input_size, classes, alpha, head, flavour, target)


def efficientnet_lite1(
    input_size: tuple[int, int] = (240, 240),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite1 with random weights: see `_build`."""
    return _build("efficientnet_lite1", input_size, classes, alpha, head, flavour, target)


def efficientnet_lite2(
    input_size: tuple[int, int] = (260, 260),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite2 with random weights: see `_build`."""
    return _build("efficientnet_lite2", input_size, classes, alpha, head, flavour, target)


def efficientnet_lite3(
    input_size: tuple[int, int] = (280, 280),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite3 with random weights: see `_build`."""
    return _build("efficientnet_lite3", input_size, classes, alpha, head, flavour, target)


def efficientnet_lite4(
    input_size: tuple[int, int] = (300, 300),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite4 with random weights: see `_build`."""
    return _build("efficientnet_lite4", input_size, classes, alpha, head, flavour, target)


def _build(
    name: str,
    input_size: tuple[int, int],
    classes: int,
    alpha: float,
    head: Head,
    flavour: Flavour,
    target: str | None,
) -> keras.Model:
    """Builds a Lite: (N, H, W, 3) -> (N, classes).

    Args:
        name: A key of `SCALES`.
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: Width multiplier; stem and last convolution keep their width, as in every Lite.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
    """
    scale = SCALES[name]
    blocks = Blocks(flavour=flavour, activation="relu6", target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, 32, 3, stride=2, name="stem")
    for index, (kernel, expansion, channels, stride) in enumerate(blocks_of(name)):
        x = inverted_residual(
            blocks,
            x,
            make_divisible(channels * scale.width * alpha),
            name=f"block_{index}",
            expansion=expansion,
            kernel=kernel,
            stride=stride,
        )
    x = blocks.conv(x, 1280, 1, name="last")
    output = blocks.classifier(x, classes, head, dropout=scale.dropout)
    return keras.Model(image, output, name=name)
