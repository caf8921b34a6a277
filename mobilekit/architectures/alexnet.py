"""AlexNet: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012.

The second network is its successor on one GPU: One Weird Trick, arXiv:1404.5997.
"""

from __future__ import annotations

import keras
from keras import layers

from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.fully_connected import BEFORE, BEHIND, fully_connected
from mobilekit.architectures.normalization import LocalResponseNormalization

# Section 3.5 of the paper, one row a convolution: filters, kernel, stride, groups, whether the
# responses are normalized, whether a pool follows.
PAPER = (
    (96, 11, 4, 1, True, True),
    (256, 5, 1, 2, True, True),
    (384, 3, 1, 1, False, False),
    (384, 3, 1, 2, False, False),
    (256, 3, 1, 2, False, True),
)
# torchvision's: one tower and no normalization. Its convolution 1 has two pixels of border.
ONE_TOWER = (
    (64, 11, 4, 1, False, True),
    (192, 5, 1, 1, False, True),
    (384, 3, 1, 1, False, False),
    (256, 3, 1, 1, False, False),
    (256, 3, 1, 1, False, True),
)


def alexnet(
    input_size: tuple[int, int] = (227, 227),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    groups: str = "yes",
    norm: str = "lrn",
) -> keras.Model:
    """Builds the paper's AlexNet with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 67 or more, so that the last pool has a window.
        classes: Length of the output.
        head: What stands behind the last pool.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        groups: "yes" splits convolutions 2, 4 and 5 as the paper did over two GPUs; "no" does not.
        norm: "lrn" normalizes responses behind the first two activations; "batch" has batch norm
            behind every convolution in its place; "none" has neither.
    """
    blocks = Blocks(flavour=flavour, target=target)
    image = keras.Input((*input_size, 3), name="image")
    rows = tuple((*row[:3], row[3] if groups == "yes" else 1, *row[4:]) for row in PAPER)
    x = _features(blocks, image, rows, norm)
    output = fully_connected(blocks, x, classes, head, BEHIND)
    return keras.Model(image, output, name="alexnet")


def alexnet_torchvision(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
) -> keras.Model:
    """Builds torchvision's AlexNet with random weights: (N, H, W, 3) -> (N, classes).

    The arguments are those of `alexnet`; an input has 63 pixels or more, and two of border are
    added on each side.
    """
    blocks = Blocks(flavour=flavour, target=target)
    image = keras.Input((*input_size, 3), name="image")
    x = layers.ZeroPadding2D(2, name="image_pad")(image)
    x = _features(blocks, x, ONE_TOWER, "none")
    output = fully_connected(blocks, x, classes, head, BEFORE)
    return keras.Model(image, output, name="alexnet_torchvision")


def _features(
    blocks: Blocks,
    x: keras.KerasTensor,
    rows: tuple[tuple[int, int, int, int, bool, bool], ...],
    norm: str,
) -> keras.KerasTensor:
    """Convolution, activation, normalization, pool, row by row: -> (N, h, w, 256)."""
    for index, (filters, kernel, stride, groups, normalized, pooled) in enumerate(rows, 1):
        x = blocks.conv(
            x,
            filters,
            kernel,
            name=f"conv_{index}",
            stride=stride,
            padding="same" if stride == 1 else "valid",
            norm=norm == "batch",
            groups=groups,
        )
        if normalized and norm == "lrn":
            x = LocalResponseNormalization(name=f"norm_{index}")(x)
        if pooled:
            x = blocks.max_pool(x, 3, name=f"pool_{index}")
    return x
