"""EfficientNet-Lite: EfficientNet (arXiv:1905.11946) without squeeze-and-excitation, with ReLU6."""

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


def efficientnet_lite0(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
) -> keras.Model:
    """Builds EfficientNet-Lite0 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: Width multiplier; stem and last convolution keep their width, as in every Lite.
        head: What stands behind the last convolution.
        flavour: Padding and epsilon of the framework whose weights will be loaded.
    """
    image = keras.Input((*input_size, 3), name="image")
    x = conv_bn(image, 32, 3, stride=2, name="stem", flavour=flavour)
    block = 0
    for kernel, expansion, channels, repeats, first_stride in STAGES:
        filters = make_divisible(channels * alpha)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = _block(x, filters, kernel, stride, expansion, f"block_{block}", flavour)
            block += 1
    x = conv_bn(x, 1280, 1, name="last", flavour=flavour)
    return keras.Model(image, classifier(x, classes, head, dropout=0.2), name="efficientnet_lite0")


def _block(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    stride: int,
    expansion: int,
    name: str,
    flavour: Flavour,
) -> keras.KerasTensor:
    """Expand, filter by depth, project without activation; add the input where shapes allow."""
    channels = x.shape[-1]
    y = x
    if expansion > 1:
        y = conv_bn(y, expansion * channels, 1, name=f"{name}_expand", flavour=flavour)
    y = depthwise_bn(y, kernel, stride=stride, name=f"{name}_depthwise", flavour=flavour)
    y = conv_bn(y, filters, 1, name=f"{name}_project", relu6=False, flavour=flavour)
    if stride == 1 and channels == filters:
        return layers.Add(name=f"{name}_add")([x, y])
    return y
