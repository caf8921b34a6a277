"""Building blocks that more than one architecture uses."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import keras
from keras import initializers, layers

from mobilekit.architectures.activations import ACTIVATIONS, FORM_OF
from mobilekit.architectures.average_pool import IGNORED, AveragePool
from mobilekit.architectures.flavour import TENSORFLOW, Flavour, Padding
from mobilekit.core.target import forms_of


class Head(enum.StrEnum):
    """What stands behind the last convolution."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    NONE = "none"  # the feature map itself


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Rounds to the nearest multiple of `divisor`, never losing more than 10 %.

    Source: MobileNetV2's reference code, tensorflow/models slim/nets/mobilenet, read in 2026.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor


LINEAR = "linear"
# How the name of a layer ends whose weights are part of a form, not of the network.
CONSTANT = "_constant"


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """The layers of one network: they share a flavour, an activation and a target.

    Every method takes and returns (N, H, W, C). The layer has the name that was given; what
    stands around it has the same name and an ending: `_pad`, `_bn`, `_relu`.

    Attributes:
        flavour: Conventions of the framework whose weights will be loaded.
        activation: What follows a convolution that does not say otherwise.
        target: The delegate to please, as in `mobilekit.core.target`; None writes every layer as
            its paper does.
        border: Of average pools: "ignored" or "counted", as in `AveragePool`.
    """

    flavour: Flavour = TENSORFLOW
    activation: str = "relu"
    target: str | None = None
    border: str = IGNORED
    forms: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "forms", forms_of(self.target))

    def conv(
        self,
        x: keras.KerasTensor,
        filters: int,
        kernel: int | tuple[int, int],
        *,
        name: str,
        stride: int = 1,
        padding: str = "same",
        activation: str | None = None,
        norm: bool = True,
        groups: int = 1,
    ) -> keras.KerasTensor:
        """Convolution, batch norm, activation; without batch norm it has a bias."""
        activation = self.activation if activation is None else activation
        x, border = self._pad(x, kernel, stride, padding, name)
        x = layers.Conv2D(
            filters,
            kernel,
            stride,
            padding=border,
            groups=groups,
            use_bias=self.flavour.bias or not norm,
            kernel_initializer=(
                initializers.LecunNormal() if activation == LINEAR else initializers.HeNormal()
            ),
            name=name,
        )(x)
        return self.activate(self.norm(x, name) if norm else x, name, activation)

    def depthwise(
        self,
        x: keras.KerasTensor,
        kernel: int | tuple[int, int],
        *,
        name: str,
        stride: int = 1,
        padding: str = "same",
        activation: str | None = None,
        norm: bool = True,
        bias: bool = True,
    ) -> keras.KerasTensor:
        """Depthwise convolution, batch norm, activation.

        Without batch norm it has a bias, unless `bias` is false.
        """
        x, border = self._pad(x, kernel, stride, padding, name)
        height, width = _pair(kernel)
        # Keras counts a depthwise kernel's inputs as if it were dense, and its initializers then
        # starve the layers behind: MobileNet v1's random logits come out at 1e-16.
        x = layers.DepthwiseConv2D(
            kernel,
            stride,
            padding=border,
            use_bias=bias and (self.flavour.bias or not norm),
            depthwise_initializer=initializers.RandomNormal(stddev=(2 / height / width) ** 0.5),
            name=name,
        )(x)
        return self.activate(self.norm(x, name) if norm else x, name, activation)

    def norm(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Batch norm with the flavour's epsilon, named `<name>_bn`."""
        return layers.BatchNormalization(
            epsilon=self.flavour.epsilon, scale=self.flavour.scale, name=f"{name}_bn"
        )(x)

    def activate(
        self, x: keras.KerasTensor, name: str, activation: str | None = None
    ) -> keras.KerasTensor:
        """The activation of the network, or another, as the target wants it; "linear" is none."""
        activation = self.activation if activation is None else activation
        if activation == LINEAR:
            return x
        form = FORM_OF.get(activation, "")
        return ACTIVATIONS[form if form in self.forms else activation](name)(x)

    def activate_apart(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """The activation of what others read without it, so that no operator can have it within.

        Where the target takes no RELU of its own, a constant 1x1 convolution by depth has it.
        """
        if self.activation == "relu" and "relu_by_depthwise" in self.forms:
            x = layers.DepthwiseConv2D(
                1,
                use_bias=False,
                depthwise_initializer="ones",
                trainable=False,
                name=f"{name}{CONSTANT}",
            )(x)
        return self.activate(x, name)

    def max_pool(
        self,
        x: keras.KerasTensor,
        size: int,
        *,
        name: str,
        stride: int = 2,
        padding: str = "valid",
    ) -> keras.KerasTensor:
        """Maximum over windows; `padding` is "valid", "same", or "ceil" (Caffe's, PyTorch's)."""
        if padding != "ceil":
            return layers.MaxPooling2D(size, stride, padding=padding, name=name)(x)
        high, wide = (_ceil_padding(length, size, stride) for length in x.shape[1:3])
        if high == wide:
            return layers.MaxPooling2D(size, stride, padding=high, name=name)(x)
        # A maximum over windows is one over columns of a maximum over rows.
        x = layers.MaxPooling2D((size, 1), (stride, 1), padding=high, name=f"{name}_rows")(x)
        return layers.MaxPooling2D((1, size), (1, stride), padding=wide, name=name)(x)

    def average_pool(
        self,
        x: keras.KerasTensor,
        size: int,
        *,
        name: str,
        stride: int = 1,
        padding: str = "same",
    ) -> keras.KerasTensor:
        """Mean over windows; `border` says whether what is beyond the image counts."""
        pool = AveragePool(size=size, stride=stride, padding=padding, border=self.border)
        if "average_pool_by_depthwise" in self.forms:
            return pool.by_depthwise(x, name, f"{name}{CONSTANT}")
        return pool.plain(x, name)

    def classifier(
        self, x: keras.KerasTensor, classes: int, head: Head, dropout: float = 0.0
    ) -> keras.KerasTensor:
        """Mean over positions, dropout, dense: -> (N, classes); `x` itself for no head."""
        if head is Head.NONE:
            return x
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        if dropout:
            x = layers.Dropout(dropout, name="dropout")(x)
        return self.logits(x, classes, head)

    def logits(self, x: keras.KerasTensor, classes: int, head: Head) -> keras.KerasTensor:
        """The last dense layer: (N, features) -> (N, classes), with softmax if `head` says so."""
        x = layers.Dense(classes, name="logits")(x)
        return x if head is Head.LOGITS else layers.Softmax(name="probabilities")(x)

    def _pad(
        self,
        x: keras.KerasTensor,
        kernel: int | tuple[int, int],
        stride: int,
        padding: str,
        name: str,
    ) -> tuple[keras.KerasTensor, str]:
        sides = tuple(length // 2 for length in _pair(kernel))
        same = self.flavour.padding is Padding.SAME
        if padding == "valid" or stride == 1 or same or not any(sides):
            return x, padding
        return layers.ZeroPadding2D(sides, name=f"{name}_pad")(x), "valid"


def _ceil_padding(length: int, size: int, stride: int) -> str:
    """The padding by which windows may reach over the far end alone, as with ceil-mode pools.

    Raises:
        ValueError: If neither padding of Keras does.
    """
    if (length - size) % stride == 0:
        return "valid"
    reach = (-(-length // stride) - 1) * stride + size - length
    if reach != 1:  # of two or more, the first is before the image
        raise ValueError(f"no padding is a ceil pool of {size}/{stride} over {length} pixels")
    return "same"


def _pair(kernel: int | tuple[int, int]) -> tuple[int, int]:
    return (kernel, kernel) if isinstance(kernel, int) else kernel
