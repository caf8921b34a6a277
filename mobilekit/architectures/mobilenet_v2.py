"""MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381."""

from __future__ import annotations

import keras

from mobilekit.architectures.blocks import Blocks, Head, make_divisible
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.inverted_residual import inverted_residual

# Table 2 of the paper, one row a stage: expansion t, channels c, repeats n, first stride s.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MobileNetV2 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: The paper's width multiplier; 1.0 is the published model, 0.35 to 1.4 were trained.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
    """
    blocks = Blocks(flavour=flavour, activation="relu6", target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, make_divisible(32 * alpha), 3, stride=2, name="stem")
    index = 0
    for expansion, channels, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            filters = make_divisible(channels * alpha)
            x = inverted_residual(
                blocks, x, filters, name=f"block_{index}", expansion=expansion, stride=stride
            )
            index += 1
    # The paper does not thin the last convolution below 1280 channels.
    x = blocks.conv(x, make_divisible(1280 * max(1.0, alpha)), 1, name="last")
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return keras.Model(image, output, name="mobilenet_v2")
