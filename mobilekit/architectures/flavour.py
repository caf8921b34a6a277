"""What differs between the frameworks that weights were trained in, beside the layers."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Padding(enum.StrEnum):
    """Where a strided convolution puts its border.

    Stride 1 is the same in both. TensorFlow pads below and right first; PyTorch's
    `padding=1` pads all four sides, which shifts every later pixel.
    """

    SAME = "same"
    SYMMETRIC = "symmetric"


@dataclass(frozen=True, kw_only=True)
class Flavour:
    """The conventions of one framework, or of one file of weights.

    Attributes:
        padding: Border of strided convolutions.
        epsilon: Added to the variance in batch norm.
        scale: Whether batch norm has a gamma.
        bias: Whether a convolution before batch norm has a bias too.
    """

    padding: Padding = Padding.SAME
    epsilon: float = 1e-3
    scale: bool = True
    bias: bool = False


TENSORFLOW = Flavour()
PYTORCH = Flavour(padding=Padding.SYMMETRIC, epsilon=1e-5)
# keras.applications.ResNet50 to 152: Caffe's borders, and biases that batch norm makes idle.
KERAS_RESNET = Flavour(padding=Padding.SYMMETRIC, epsilon=1.001e-5, bias=True)
