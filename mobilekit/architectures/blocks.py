"""Building blocks that more than one architecture uses."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import keras
from keras import initializers, layers


class Padding(enum.StrEnum):
    """Where a strided convolution puts its border.

    Stride 1 is the same in both. TensorFlow pads below and right first; PyTorch's
    `padding=1` pads all four sides, which shifts every later pixel.
    """

    SAME = "same"
    SYMMETRIC = "symmetric"


class Head(enum.StrEnum):
    """What stands behind the last convolution."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    NONE = "none"  # the feature map itself


@dataclass(frozen=True, kw_only=True)
class Flavour:
    """What differs between the frameworks that weights were trained in, beside the layers.

    Attributes:
        padding: Border of strided convolutions.
        epsilon: Added to the variance in batch norm.
    """

    padding: Padding = Padding.SAME
    epsilon: float = 1e-3


TENSORFLOW = Flavour()
PYTORCH = Flavour(padding=Padding.SYMMETRIC, epsilon=1e-5)


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Rounds to the nearest multiple of `divisor`, never losing more than 10 %.

    Source: MobileNetV2's reference code, tensorflow/models slim/nets/mobilenet, read in 2026.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor


def conv_bn(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    *,
    name: str,
    stride: int = 1,
    relu6: bool = True,
    flavour: Flavour = TENSORFLOW,
) -> keras.KerasTensor:
    """Convolution, batch norm, ReLU6: (N, H, W, C) -> (N, ⌈H/stride⌉, ⌈W/stride⌉, filters)."""
    x, border = _pad(x, kernel, stride, flavour, name)
    x = layers.Conv2D(
        filters,
        kernel,
        stride,
        padding=border,
        use_bias=False,
        kernel_initializer=initializers.HeNormal() if relu6 else initializers.LecunNormal(),
        name=name,
    )(x)
    return _norm(x, name, flavour, relu6)


def depthwise_bn(
    x: keras.KerasTensor,
    kernel: int,
    *,
    name: str,
    stride: int = 1,
    flavour: Flavour = TENSORFLOW,
) -> keras.KerasTensor:
    """Depthwise convolution, batch norm, ReLU6: (N, H, W, C) -> (N, ⌈H/stride⌉, ⌈W/stride⌉, C)."""
    x, border = _pad(x, kernel, stride, flavour, name)
    # Keras counts a depthwise kernel's inputs as if it were dense, and its initializers then
    # starve the layers behind: MobileNet v1's random logits come out at 1e-16.
    x = layers.DepthwiseConv2D(
        kernel,
        stride,
        padding=border,
        use_bias=False,
        depthwise_initializer=initializers.RandomNormal(stddev=(2 / kernel**2) ** 0.5),
        name=name,
    )(x)
    return _norm(x, name, flavour, True)


def classifier(x: keras.KerasTensor, classes: int, head: Head, dropout: float) -> keras.KerasTensor:
    """Mean over positions, dropout, dense: (N, H, W, C) -> (N, classes); `x` itself for no head."""
    if head is Head.NONE:
        return x
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="logits")(x)
    if head is Head.LOGITS:
        return x
    return layers.Softmax(name="probabilities")(x)


def _pad(
    x: keras.KerasTensor, kernel: int, stride: int, flavour: Flavour, name: str
) -> tuple[keras.KerasTensor, str]:
    if stride == 1 or kernel == 1 or flavour.padding is Padding.SAME:
        return x, "same"
    return layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x), "valid"


def _norm(x: keras.KerasTensor, name: str, flavour: Flavour, relu6: bool) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=flavour.epsilon, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu6 else x
