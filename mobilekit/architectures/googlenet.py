"""GoogLeNet: Going Deeper with Convolutions, arXiv:1409.4842.

The second network is Inception v1 as slim released it and torchvision took it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import keras
from keras import initializers, layers

from mobilekit.architectures.auxiliary import network, pooled, side_output
from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.normalization import LocalResponseNormalization
from mobilekit.architectures.separable_stem import FULL, first_convolution

# Table 1 of the paper, one row a module: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj.
MODULES: Mapping[str, tuple[int, int, int, int, int, int]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED = {"3b": "pool_3", "4e": "pool_4"}  # the modules before a pool
AUXILIARY = {"4a": "auxiliary_1", "4d": "auxiliary_2"}  # and those with a classifier behind
# The paper gives no constants: Caffe's, whose alpha of 1e-4 is divided by five channels.
CAFFE_BIAS, CAFFE_ALPHA = 1.0, 1e-4 / 5


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What differs between the networks of this table.

    Attributes:
        norm: "lrn", "batch" or "none".
        reduce: Activation of the 1x1 convolutions before larger ones.
        wide: Side of the kernel that the table calls 5x5.
        last_pool: Side of the window before module 5a.
        dropout: Before the classes.
        stem: "full" or "separable".
    """

    norm: str
    reduce: str = "relu"
    wide: int = 5
    last_pool: int = 3
    dropout: float = 0.4
    stem: str = FULL


def googlenet(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    auxiliary: str = "no",
    norm: str = "lrn",
    reduce: str = "relu",
    stem: str = FULL,
) -> keras.Model:
    """Builds the paper's GoogLeNet with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
        classes: Length of the output.
        head: What stands behind the last module.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        auxiliary: "yes" adds the two classifiers of training as a second and a third output.
        norm: "lrn" normalizes responses twice before the modules; "batch" has batch norm behind
            every convolution in its place; "none" has neither.
        reduce: "linear" leaves out the activation of the 1x1 reductions.
        stem: "separable" for a first convolution of a kernel for each colour and a 1x1.
    """
    variant = Variant(norm=norm, reduce=reduce, stem=stem)
    blocks = Blocks(flavour=flavour, target=target)
    return _network("googlenet", blocks, variant, input_size, classes, head, auxiliary)


def googlenet_torchvision(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    auxiliary: str = "no",
    gamma: str = "yes",
) -> keras.Model:
    """Builds slim's and torchvision's Inception v1 with random weights: -> (N, classes).

    The arguments are those of `googlenet`, and `gamma`: "no" leaves out the factor of batch norm,
    as slim does.
    """
    variant = Variant(norm="batch", wide=3, last_pool=2, dropout=0.2)
    blocks = Blocks(flavour=replace(flavour, scale=gamma == "yes"), target=target)
    return _network("googlenet_torchvision", blocks, variant, input_size, classes, head, auxiliary)


def _network(
    name: str,
    blocks: Blocks,
    variant: Variant,
    input_size: tuple[int, int],
    classes: int,
    head: Head,
    auxiliary: str,
) -> keras.Model:
    image = keras.Input((*input_size, 3), name="image")
    x = _stem(blocks, image, variant)
    others = []
    for module, filters in MODULES.items():
        x = _inception(blocks, x, filters, f"inception_{module}", variant)
        if module in AUXILIARY and auxiliary == "yes" and head is not Head.NONE:
            features = _auxiliary(blocks, x, AUXILIARY[module], variant)
            others.append(side_output(features, classes, head, AUXILIARY[module]))
        if module in POOLED:
            size = variant.last_pool if POOLED[module] == "pool_4" else 3
            x = blocks.max_pool(x, size, name=POOLED[module], padding="ceil")
    output = blocks.classifier(x, classes, head, dropout=variant.dropout)
    return network(name, image, output, others)


def _stem(blocks: Blocks, image: keras.KerasTensor, variant: Variant) -> keras.KerasTensor:
    """The first rows of the table; responses are normalized after one pool, before the other."""
    norm = variant.norm == "batch"
    x = first_convolution(blocks, image, variant.stem, norm=norm)
    x = blocks.max_pool(x, 3, name="pool_1", padding="ceil")
    x = _normalized(x, variant, "norm_1")
    x = blocks.conv(x, 64, 1, name="conv_2_reduce", activation=variant.reduce, norm=norm)
    x = blocks.conv(x, 192, 3, name="conv_2", norm=norm)
    x = _normalized(x, variant, "norm_2")
    return blocks.max_pool(x, 3, name="pool_2", padding="ceil")


def _normalized(x: keras.KerasTensor, variant: Variant, name: str) -> keras.KerasTensor:
    if variant.norm != "lrn":
        return x
    return LocalResponseNormalization(bias=CAFFE_BIAS, alpha=CAFFE_ALPHA, name=name)(x)


def _inception(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: tuple[int, int, int, int, int, int],
    name: str,
    variant: Variant,
) -> keras.KerasTensor:
    """Figure 2 (b): kernels of three sizes and a pool side by side, with reductions before."""
    norm = variant.norm == "batch"
    ends = [blocks.conv(x, filters[0], 1, name=f"{name}_1x1", norm=norm)]
    for part, size, reduced, made in (
        ("3x3", 3, *filters[1:3]),
        ("5x5", variant.wide, *filters[3:5]),
    ):
        y = blocks.conv(
            x, reduced, 1, name=f"{name}_{part}_reduce", activation=variant.reduce, norm=norm
        )
        ends.append(blocks.conv(y, made, size, name=f"{name}_{part}", norm=norm))
    y = blocks.max_pool(x, 3, name=f"{name}_pool", stride=1, padding="same")
    ends.append(blocks.conv(y, filters[5], 1, name=f"{name}_pool_proj", norm=norm))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _auxiliary(
    blocks: Blocks, x: keras.KerasTensor, name: str, variant: Variant
) -> keras.KerasTensor:
    """What section 5 has before the classes of an auxiliary classifier: -> (N, 1024)."""
    x = pooled(blocks, x, name)
    x = blocks.conv(x, 128, 1, name=f"{name}_conv", norm=variant.norm == "batch")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, kernel_initializer=initializers.HeNormal(), name=f"{name}_fc")(x)
    return layers.Dropout(0.7, name=f"{name}_dropout")(blocks.activate(x, f"{name}_fc"))
