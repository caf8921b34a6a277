"""Inception V3: Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import keras
from keras import layers

from mobilekit.architectures.auxiliary import network, pooled, side_output, window
from mobilekit.architectures.average_pool import IGNORED
from mobilekit.architectures.blocks import Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.towers import (
    Conv,
    Pool,
    Split,
    Tower,
    conv_names,
    tower,
    tower_names,
    towers,
)

RELEASED = "released"


class Five(NamedTuple):
    """A convolution of 5x5, or two of 3x3 in its place.

    Attributes:
        filters: Of each convolution.
        released: "5x5" or "3x3": what the released network has here.
    """

    filters: int
    released: str


class Seven(NamedTuple):
    """A convolution of 7x7, or one along each side in its place.

    Attributes:
        between: Filters of the first of the two.
        filters: Of the last.
        first: The kernel of the first.
    """

    between: int
    filters: int
    first: tuple[int, int] = (1, 7)


FactoredTower = tuple[Conv | Split | Pool | Five | Seven, ...]
STEM = (
    *(Conv(32, 3, 2), Conv(32, 3, 1), Conv(64, 3), Pool.MAX),
    *(Conv(80), Conv(192, 3, 1), Pool.MAX),
)
DOWN = (7, 1)
ENDS = ((1, 3), (3, 1))


def _inception_a(projected: int) -> tuple[FactoredTower, ...]:
    return (
        (Conv(64),),
        (Conv(48), Five(64, "5x5")),
        (Conv(64), Five(96, "3x3")),
        (Pool.AVERAGE, Conv(projected)),
    )


def _inception_b(channels: int) -> tuple[FactoredTower, ...]:
    return (
        (Conv(192),),
        (Conv(channels), Seven(channels, 192)),
        (Conv(channels), Seven(channels, channels, DOWN), Seven(channels, 192, DOWN)),
        (Pool.AVERAGE, Conv(192)),
    )


INCEPTION_C: tuple[FactoredTower, ...] = (
    (Conv(320),),
    (Conv(384), Split(384, ENDS)),
    (Conv(448), Conv(384, 3), Split(384, ENDS)),
    (Pool.AVERAGE, Conv(192)),
)
# Table 1 of the paper with the channels of the released network: figure 5, 10, 6, 10, 7.
MODULES: Mapping[str, tuple[FactoredTower, ...]] = {
    "inception_a_0": _inception_a(32),
    "inception_a_1": _inception_a(64),
    "inception_a_2": _inception_a(64),
    "reduction_a": ((Conv(384, 3, 2),), (Conv(64), Conv(96, 3), Conv(96, 3, 2)), (Pool.MAX,)),
    "inception_b_0": _inception_b(128),
    "inception_b_1": _inception_b(160),
    "inception_b_2": _inception_b(160),
    "inception_b_3": _inception_b(192),
    "reduction_b": (
        (Conv(192), Conv(320, 3, 2)),
        (Conv(192), Seven(192, 192), Conv(192, 3, 2)),
        (Pool.MAX,),
    ),
    "inception_c_0": INCEPTION_C,
    "inception_c_1": INCEPTION_C,
}
AUXILIARY = "inception_b_3"  # the classifier of training stands behind it


@dataclass(frozen=True, kw_only=True)
class Factors:
    """How large kernels are divided.

    Attributes:
        factorize: "released", "3x3" for two of those in place of every 5x5, or "5x5".
        square: "asymmetric" for 1x7 and 7x1, or "square" for 7x7.
        between: Activation between the factors, "relu" or "linear".
    """

    factorize: str = RELEASED
    square: str = "asymmetric"
    between: str = "relu"

    def tower(self, steps: FactoredTower) -> Tower:
        """Plain convolutions for the factored ones."""
        return tuple(plain for step in steps for plain in self._plain(step))

    def _plain(self, step: Conv | Split | Pool | Five | Seven) -> Iterator[Conv | Split | Pool]:
        if isinstance(step, Five):
            kind = step.released if self.factorize == RELEASED else self.factorize
            if kind == "5x5":
                yield Conv(step.filters, 5)
            else:
                yield Conv(step.filters, 3, activation=self.between)
                yield Conv(step.filters, 3)
        elif isinstance(step, Seven):
            if self.square == "square":
                yield Conv(step.filters, 7)
            else:
                yield Conv(step.between, step.first, activation=self.between)
                yield Conv(step.filters, step.first[::-1])
        else:
            yield step


def inception_v3(
    input_size: tuple[int, int] = (299, 299),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    auxiliary: str = "no",
    factorize: str = RELEASED,
    between: str = "relu",
    square: str = "asymmetric",
    pool_padding: str = IGNORED,
    gamma: str = "no",
) -> keras.Model:
    """Builds Inception V3 with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 75 or more, so that a pixel is left.
        classes: Length of the output.
        head: What stands behind the last module.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        auxiliary: "yes" adds the classifier of training as a second output.
        factorize: "3x3" has two of those for each 5x5 of the first modules (figure 5 of the
            paper), "5x5" has none of those factors, and "released" one of each.
        between: "linear" leaves out the activation between two factors (figure 2).
        square: "square" has 7x7 kernels where the paper has 1x7 and 7x1 (section 3.2).
        pool_padding: "counted" divides by the border of average pools too, as PyTorch does.
        gamma: "yes" gives batch norm a factor, as torchvision does.
    """
    blocks = Blocks(
        flavour=replace(flavour, scale=gamma == "yes"), target=target, border=pool_padding
    )
    factors = Factors(factorize=factorize, square=square, between=between)
    image = keras.Input((*input_size, 3), name="image")
    x = tower(blocks, image, STEM, "stem")
    others = []
    for name, table in MODULES.items():
        x = towers(blocks, x, [factors.tower(steps) for steps in table], name)
        if name == AUXILIARY and auxiliary == "yes" and head is not Head.NONE:
            features = _auxiliary(blocks, x, "auxiliary")
            others.append(side_output(features, classes, head, "auxiliary"))
    output = blocks.classifier(x, classes, head, dropout=0.2)
    return network("inception_v3", image, output, others)


def convolutions() -> Iterator[str]:
    """Names of the convolutions of the released network, in the order of the paper's figures."""
    yield from tower_names(STEM, "stem")
    for name, table in MODULES.items():
        yield from conv_names([Factors().tower(steps) for steps in table], name)


def _auxiliary(blocks: Blocks, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Figure 8: what stands before the classes of the auxiliary classifier: -> (N, 768)."""
    x = pooled(blocks, x, name)
    x = blocks.conv(x, 128, 1, name=f"{name}_conv_1")
    x = blocks.conv(x, 768, window(x), name=f"{name}_conv_2", padding="valid")
    return layers.GlobalAveragePooling2D(name=f"{name}_mean")(x)
