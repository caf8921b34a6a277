"""EfficientNet-Lite: EfficientNet (arXiv:1905.11946) without squeeze-and-excitation, with ReLU6."""

from __future__ import annotations

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks, Head, make_divisible
from mobilekit.architectures.flavour import TENSORFLOW, Flavour

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
    target: str | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite0 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        alpha: Width multiplier; stem and last convolution keep their width, as in every Lite.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
    """
    blocks = Blocks(flavour=flavour, activation="relu6", target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, 32, 3, stride=2, name="stem")
    index = 0
    for kernel, expansion, channels, repeats, first_stride in STAGES:
        filters = make_divisible(channels * alpha)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = _block(blocks, x, filters, kernel, stride, expansion, f"block_{index}")
            index += 1
    x = blocks.conv(x, 1280, 1, name="last")
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return keras.Model(image, output, name="efficientnet_lite0")


def _block(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    stride: int,
    expansion: int,
    name: str,
) -> keras.KerasTensor:
    """Expand, filter by depth, project without activation; add the input where shapes allow."""
    channels = x.shape[-1]
    y = x
    if expansion > 1:
        y = blocks.conv(y, expansion * channels, 1, name=f"{name}_expand")
    y = blocks.depthwise(y, kernel, stride=stride, name=f"{name}_depthwise")
    y = blocks.conv(y, filters, 1, name=f"{name}_project", activation=LINEAR)
    if stride == 1 and channels == filters:
        return layers.Add(name=f"{name}_add")([x, y])
    return y
