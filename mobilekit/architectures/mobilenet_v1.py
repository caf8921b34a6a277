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
# Table 5's shallow network leaves the five blocks of 14x14x512 out.
DEPTHS = {"full": BLOCKS, "shallow": tuple(row for row in BLOCKS if row != (512, 1))}


def mobilenet_v1(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    alpha: float = 1.0,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    convolution: str = "separable",
    depth: str = "full",
) -> keras.Model:
    """Builds MobileNet v1 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; the paper's resolution multiplier is this over 224.
        classes: Length of the output.
        alpha: The paper's width multiplier: 1.0, 0.75, 0.5 and 0.25 were trained.
        head: What stands behind the last convolution.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        convolution: "full" for one dense 3x3 convolution in place of the two of a block: Table 4.
        depth: "shallow" for Table 5's network.
    """
    blocks = Blocks(flavour=flavour, activation="relu6", target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, int(32 * alpha), 3, stride=2, name="stem")
    for index, (channels, stride) in enumerate(DEPTHS[depth]):
        filters, name = int(channels * alpha), f"block_{index}"
        if convolution == "full":
            x = blocks.conv(x, filters, 3, stride=stride, name=f"{name}_full")
        else:
            x = blocks.depthwise(x, 3, stride=stride, name=f"{name}_depthwise")
            x = blocks.conv(x, filters, 1, name=f"{name}_pointwise")
    output = blocks.classifier(x, classes, head, dropout=1e-3)
    return keras.Model(image, output, name="mobilenet_v1")
