"""MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381."""

from __future__ import annotations

import keras
from keras import layers

from mobilekit.architectures.blocks import (
    TENSORFLOW,
    Flavour,
    Head,
    classifier,
    conv_bn,
    depthwise_bn,
    make_divisible,
)

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
) -> keras.Model:
    """Builds MobileNetV2 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: The paper's width multiplier; 1.0 is the published model, 0.35 to 1.4 were trained.
        head: What stands behind the last convolution.
        flavour: Padding and epsilon of the framework whose weights will be loaded.
    """
    image = keras.Input((*input_size, 3), name="image")
    x = conv_bn(image, make_divisible(32 * alpha), 3, stride=2, name="stem", flavour=flavour)
    block = 0
    for expansion, channels, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            filters = make_divisible(channels * alpha)
            x = _inverted_residual(x, filters, stride, expansion, f"block_{block}", flavour)
            block += 1
    # The paper does not thin the last convolution below 1280 channels.
    x = conv_bn(x, make_divisible(1280 * max(1.0, alpha)), 1, name="last", flavour=flavour)
    return keras.Model(image, classifier(x, classes, head, dropout=0.2), name="mobilenet_v2")


def _inverted_residual(
    x: keras.KerasTensor, filters: int, stride: int, expansion: int, name: str, flavour: Flavour
) -> keras.KerasTensor:
    """Expand, filter by depth, project without activation; add the input where shapes allow.

    Source: arXiv:1801.04381, Table 1 and Figure 3; no expansion layer where t = 1 (slim).
    """
    channels = x.shape[-1]
    y = x
    if expansion > 1:
        y = conv_bn(y, expansion * channels, 1, name=f"{name}_expand", flavour=flavour)
    y = depthwise_bn(y, 3, stride=stride, name=f"{name}_depthwise", flavour=flavour)
    y = conv_bn(y, filters, 1, name=f"{name}_project", relu6=False, flavour=flavour)
    if stride == 1 and channels == filters:
        return layers.Add(name=f"{name}_add")([x, y])
    return y
