"""MobileNetV3: Searching for MobileNetV3, arXiv:1905.02244."""

from __future__ import annotations

from dataclasses import replace

import keras

from mobilekit.architectures.blocks import Blocks, Head, make_divisible
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.inverted_residual import inverted_residual
from mobilekit.architectures.late_head import late_head

RE, HS = "relu", "hard_swish"
# A block: kernel, expansion, channels, squeeze-and-excitation, activation, stride.
Row = tuple[int, float, int, bool, str, int]

# Table 1 of the paper, which prints expanded channels; as factors they follow the width.
LARGE: tuple[Row, ...] = (
    (3, 1, 16, False, RE, 1),
    (3, 4, 24, False, RE, 2),
    (3, 3, 24, False, RE, 1),
    (5, 3, 40, True, RE, 2),
    (5, 3, 40, True, RE, 1),
    (5, 3, 40, True, RE, 1),
    (3, 6, 80, False, HS, 2),
    (3, 2.5, 80, False, HS, 1),
    (3, 2.3, 80, False, HS, 1),
    (3, 2.3, 80, False, HS, 1),
    (3, 6, 112, True, HS, 1),
    (3, 6, 112, True, HS, 1),
    (5, 6, 160, True, HS, 2),
    (5, 6, 160, True, HS, 1),
    (5, 6, 160, True, HS, 1),
)
# Table 2.
SMALL: tuple[Row, ...] = (
    (3, 1, 16, True, RE, 2),
    (3, 72 / 16, 24, False, RE, 2),
    (3, 88 / 24, 24, False, RE, 1),
    (5, 4, 40, True, HS, 2),
    (5, 6, 40, True, HS, 1),
    (5, 6, 40, True, HS, 1),
    (5, 3, 48, True, HS, 1),
    (5, 3, 48, True, HS, 1),
    (5, 6, 96, True, HS, 2),
    (5, 6, 96, True, HS, 1),
    (5, 6, 96, True, HS, 1),
)
# Blocks, and the features of the head.
VARIANTS = {"mobilenet_v3_large": (LARGE, 1280), "mobilenet_v3_small": (SMALL, 1024)}


def mobilenet_v3_large(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    **options: str,
) -> keras.Model:
    """Builds MobileNetV3-Large with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: The width multiplier; 1.0 and 0.75 were trained. The stem keeps its 16 channels.
        head: What stands behind the last convolution of the map.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        options: `minimalistic`, `activation`, `squeeze_excite`, as in the row.
    """
    blocks = Blocks(flavour=flavour, target=target, activation=_activation(**options))
    return _network("mobilenet_v3_large", blocks, input_size, classes, alpha, head, **options)


def mobilenet_v3_small(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    **options: str,
) -> keras.Model:
    """Builds MobileNetV3-Small with random weights; arguments as `mobilenet_v3_large`."""
    blocks = Blocks(flavour=flavour, target=target, activation=_activation(**options))
    return _network("mobilenet_v3_small", blocks, input_size, classes, alpha, head, **options)


def _activation(minimalistic: str = "no", activation: str = HS, squeeze_excite: str = "yes") -> str:
    return RE if minimalistic == "yes" else activation


def _network(
    name: str,
    blocks: Blocks,
    input_size: tuple[int, int],
    classes: int,
    alpha: float,
    head: Head,
    minimalistic: str = "no",
    activation: str = HS,
    squeeze_excite: str = "yes",
) -> keras.Model:
    rows, features = VARIANTS[name]
    squeezes = squeeze_excite == "yes" and minimalistic == "no"
    between = {RE: replace(blocks, activation=RE), HS: blocks}
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, 16, 3, stride=2, name="stem")
    for index, (kernel, expansion, channels, squeeze, own, stride) in enumerate(rows):
        # The bottleneck of squeeze and excitation is a quarter of what is filtered by depth.
        quarter = make_divisible(make_divisible(expansion * x.shape[-1]) / 4)
        x = inverted_residual(
            between[own],
            x,
            make_divisible(channels * alpha),
            name=f"block_{index}",
            expansion=expansion,
            kernel=3 if minimalistic == "yes" else kernel,
            stride=stride,
            squeeze=quarter if squeeze and squeezes else 0,
            gate="hard_sigmoid",
        )
    x = blocks.conv(x, make_divisible(6 * x.shape[-1]), 1, name="last")
    features = make_divisible(features * max(1.0, alpha))
    output = late_head(blocks, x, features, classes, head, norm=False)
    return keras.Model(image, output, name=name)
