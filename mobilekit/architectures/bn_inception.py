"""BN-Inception: Batch Normalization, arXiv:1502.03167; its successor in slim is Inception v2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import keras
from keras import layers

from mobilekit.architectures.average_pool import IGNORED
from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.separable_stem import FULL, SEPARABLE, first_convolution

Modules = Mapping[str, tuple[int, int, int, int, int, int]]
HALVING = ("3c", "4e")  # these have stride 2, and pass the maximum on as it is
LAST = "5b"  # its pool is one of maxima
# Figure 5 of the paper, one row a module: 1x1, 3x3 reduce, 3x3, double reduce, double 3x3 twice,
# pool proj.
PAPER: Modules = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (0, 128, 160, 64, 96, 0),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 128),
    "4d": (96, 128, 192, 160, 192, 128),
    "4e": (0, 128, 192, 192, 256, 0),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}
# slim's, in which every module 4a to 4d has the 576 channels that the paper prints.
SLIM: Modules = {
    **PAPER,
    "4c": (160, 128, 160, 128, 160, 96),
    "4d": (96, 128, 192, 160, 192, 96),
}


def bn_inception(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    stem: str = FULL,
    pool_padding: str = IGNORED,
    bias: str = "no",
    gamma: str = "yes",
) -> keras.Model:
    """Builds the paper's BN-Inception with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        head: What stands behind the last module.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        stem: "separable" for a first convolution of a kernel for each colour and a 1x1.
        pool_padding: "counted" divides by the border of average pools too, as Caffe does.
        bias: "yes" gives convolutions before batch norm a bias, as Caffe does.
        gamma: "no" leaves out the factor of batch norm, as slim does.
    """
    flavour = replace(flavour, bias=flavour.bias or bias == "yes", scale=gamma == "yes")
    blocks = Blocks(flavour=flavour, target=target, border=pool_padding)
    return _network("bn_inception", PAPER, blocks, input_size, classes, head, stem)


def inception_v2(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    stem: str = SEPARABLE,
    pool_padding: str = IGNORED,
    bias: str = "no",
    gamma: str = "no",
) -> keras.Model:
    """Builds slim's Inception v2 with random weights; the arguments are those of BN-Inception."""
    flavour = replace(flavour, bias=flavour.bias or bias == "yes", scale=gamma == "yes")
    blocks = Blocks(flavour=flavour, target=target, border=pool_padding)
    return _network("inception_v2", SLIM, blocks, input_size, classes, head, stem)


def _network(
    name: str,
    modules: Modules,
    blocks: Blocks,
    input_size: tuple[int, int],
    classes: int,
    head: Head,
    stem: str,
) -> keras.Model:
    image = keras.Input((*input_size, 3), name="image")
    x = first_convolution(blocks, image, stem)
    x = blocks.max_pool(x, 3, name="pool_1", padding="same")
    x = blocks.conv(x, 64, 1, name="conv_2_reduce")
    x = blocks.conv(x, 192, 3, name="conv_2")
    x = blocks.max_pool(x, 3, name="pool_2", padding="same")
    for module, filters in modules.items():
        x = _inception(blocks, x, filters, module)
    dropout = 0.2 if modules is SLIM else 0.0
    return keras.Model(image, blocks.classifier(x, classes, head, dropout), name=name)


def _inception(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: tuple[int, int, int, int, int, int],
    module: str,
) -> keras.KerasTensor:
    """GoogLeNet's module with two 3x3 for the 5x5, or one that halves the map."""
    name = f"inception_{module}"
    stride = 2 if module in HALVING else 1
    one, reduced, made, double_reduced, double, projected = filters
    ends = [blocks.conv(x, one, 1, name=f"{name}_1x1")] if one else []
    y = blocks.conv(x, reduced, 1, name=f"{name}_3x3_reduce")
    ends.append(blocks.conv(y, made, 3, stride=stride, name=f"{name}_3x3"))
    y = blocks.conv(x, double_reduced, 1, name=f"{name}_double_3x3_reduce")
    y = blocks.conv(y, double, 3, name=f"{name}_double_3x3_1")
    ends.append(blocks.conv(y, double, 3, stride=stride, name=f"{name}_double_3x3_2"))
    if module in (*HALVING, LAST):
        y = blocks.max_pool(x, 3, stride=stride, padding="same", name=f"{name}_pool")
    else:
        y = blocks.average_pool(x, 3, name=f"{name}_pool")
    ends.append(blocks.conv(y, projected, 1, name=f"{name}_pool_proj") if projected else y)
    return layers.Concatenate(name=f"{name}_concat")(ends)
