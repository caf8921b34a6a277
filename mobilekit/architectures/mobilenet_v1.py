"""MobileNets: Efficient Convolutional Neural Networks for Mobile Vision, arXiv:1704.04861."""

from __future__ import annotations

import keras

from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour

# Table 1 of the paper, one row a depthwise-separable block: channels, stride. The table prints
# stride 2 for the last depthwise layer; its output size and the released model have stride 1.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


def mobilenet_v1(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds MobileNet v1 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; the paper's resolution multiplier is this over 224.
        classes: Length of the output.
        alpha: The paper's width multiplier: 1.0, 0.75, 0.5 and 0.25 were trained.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
    """
    blocks = Blocks(flavour=flavour, activation="relu6", target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, int(32 * alpha), 3, stride=2, name="stem")
    for index, (channels, stride) in enumerate(BLOCKS):
        x = blocks.depthwise(x, 3, stride=stride, name=f"block_{index}_depthwise")
        x = blocks.conv(x, int(channels * alpha), 1, name=f"block_{index}_pointwise")
    output = blocks.classifier(x, classes, head, dropout=1e-3)
    return keras.Model(image, output, name="mobilenet_v1")
