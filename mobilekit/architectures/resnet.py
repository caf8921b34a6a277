"""ResNet: Deep Residual Learning for Image Recognition, arXiv:1512.03385."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
from keras import layers

from mobilekit.architectures.blocks import CONSTANT, LINEAR, Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour, Padding
from mobilekit.core.errors import UsageError

# What `shortcut` takes: the plain net, and the paper's options A, B and C.
NONE = "none"
ZERO_PADDING = "zero_padding"
PROJECTION = "projection"
PROJECTION_ALL = "projection_all"

BASIC = "basic"
BOTTLENECK = "bottleneck"
EXPANSION = {BASIC: 1, BOTTLENECK: 4}

# Table 1 of the paper: the kind of block, and how many of them each stage has.
DEPTHS = {
    "resnet18": (BASIC, (2, 2, 2, 2)),
    "resnet34": (BASIC, (3, 4, 6, 3)),
    "resnet50": (BOTTLENECK, (3, 4, 6, 3)),
    "resnet101": (BOTTLENECK, (3, 4, 23, 3)),
    "resnet152": (BOTTLENECK, (3, 8, 36, 3)),
}
WIDTHS = (64, 128, 256, 512)

# Section 4.2: n of the 6n + 2 layers; each of three stages has n blocks.
CIFAR_DEPTHS = {
    "resnet20_cifar": 3,
    "resnet32_cifar": 5,
    "resnet44_cifar": 7,
    "resnet56_cifar": 9,
    "resnet110_cifar": 18,
}
CIFAR_WIDTHS = (16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class Residual:
    """The blocks of one network: (N, H, W, C) -> (N, ceil(H/stride), ceil(W/stride), channels).

    Attributes:
        blocks: The network's layers.
        kind: "basic", two 3x3 convolutions, or "bottleneck", a 3x3 between two 1x1.
        shortcut: What is added to them, "none" being nothing.
        stride_on: The convolution of a bottleneck that halves the map: "1x1", the first, or "3x3".
    """

    blocks: Blocks
    kind: str
    shortcut: str
    stride_on: str = "1x1"

    def stages(
        self, x: keras.KerasTensor, repeats: Sequence[int], widths: Sequence[int]
    ) -> keras.KerasTensor:
        """All blocks; the first of every stage but the first halves the map."""
        for stage, (blocks, width) in enumerate(zip(repeats, widths, strict=True), 1):
            for block in range(1, blocks + 1):
                stride = 2 if stage > 1 and block == 1 else 1
                x = self._block(x, width, stride, f"stage_{stage}_block_{block}")
        return x

    def _block(self, x: keras.KerasTensor, width: int, stride: int, name: str) -> keras.KerasTensor:
        """Convolutions, then the shortcut, then the activation that the last of them lacked."""
        channels = width * EXPANSION[self.kind]
        early, late = (stride, 1) if self.stride_on == "1x1" else (1, stride)
        convolutions = {
            BASIC: ((width, 3, stride), (channels, 3, 1)),
            BOTTLENECK: ((width, 1, early), (width, 3, late), (channels, 1, 1)),
        }[self.kind]
        y = x
        for number, (filters, kernel, step) in enumerate(convolutions, 1):
            activation = LINEAR if number == len(convolutions) else None
            conv = f"{name}_conv_{number}"
            y = self.blocks.conv(y, filters, kernel, stride=step, activation=activation, name=conv)
        if self.shortcut != NONE:
            y = layers.Add(name=f"{name}_add")([self._shortcut(x, channels, stride, name), y])
        return self.blocks.activate(y, name)

    def _shortcut(
        self, x: keras.KerasTensor, channels: int, stride: int, name: str
    ) -> keras.KerasTensor:
        """The block's input, in the shape of its output.

        Without a projection new channels are zeros behind the old ones, and pixels are left out.
        """
        changes = stride > 1 or channels != x.shape[-1]
        if self.shortcut == PROJECTION_ALL or (self.shortcut == PROJECTION and changes):
            return self.blocks.conv(
                x, channels, 1, stride=stride, activation=LINEAR, name=f"{name}_shortcut"
            )
        if stride > 1:
            x = self._subsample(x, stride, f"{name}_shortcut_subsample")
        missing = channels - x.shape[-1]
        if missing:
            # Of NHWC read as NCHW the last two axes are the columns and the channels; this is the
            # one stock layer that becomes a single PAD of channels.
            x = layers.ZeroPadding2D(
                ((0, 0), (0, missing)), data_format="channels_first", name=f"{name}_shortcut_pad"
            )(x)
        return x

    def _subsample(self, x: keras.KerasTensor, stride: int, name: str) -> keras.KerasTensor:
        """Every `stride`-th pixel of every `stride`-th row."""
        if "subsample_by_depthwise" not in self.blocks.forms:
            return layers.MaxPooling2D(1, stride, name=name)(x)
        return layers.DepthwiseConv2D(
            1,
            stride,
            use_bias=False,
            depthwise_initializer="ones",
            trainable=False,
            name=f"{name}{CONSTANT}",
        )(x)


def units(name: str) -> list[tuple[int, int, int, bool]]:
    """Stage, number, convolutions of every published block; whether option B projects its input.

    Stages and numbers count from 1.
    """
    kind, repeats = DEPTHS[name]
    return [
        (stage, block, 2 if kind == BASIC else 3, block == 1 and (stage > 1 or kind != BASIC))
        for stage, blocks in enumerate(repeats, 1)
        for block in range(1, blocks + 1)
    ]


def _imagenet(name: str) -> Callable[..., keras.Model]:
    published, repeats = DEPTHS[name]

    def build(
        input_size: tuple[int, int] = (224, 224),
        classes: int = 1000,
        head: Head = Head.LOGITS,
        flavour: Flavour = TENSORFLOW,
        target: str | None = None,
        shortcut: str = PROJECTION,
        block: str = published,
        stride_on: str = "1x1",
    ) -> keras.Model:
        """Builds a ResNet of table 1 with random weights: (N, H, W, 3) -> (N, classes).

        Args:
            input_size: Height and width, pixels; 32 or more, since the strides divide by 32.
            classes: Length of the output.
            head: What stands behind the last block.
            flavour: Conventions of the framework whose weights will be loaded.
            target: The delegate to please.
            shortcut: "projection" (B) where shapes change; "zero_padding" (A) there;
                "projection_all" (C) in every block; "none" builds the plain net.
            block: "basic" or "bottleneck".
            stride_on: "1x1" or "3x3", of a bottleneck.

        Raises:
            UsageError: If `stride_on` is said of blocks that are no bottlenecks.
        """
        if block != BOTTLENECK and stride_on != "1x1":
            raise UsageError(
                f"stride_on={stride_on} moves the stride within a bottleneck, and block={block} of"
                f" {name} has none; leave one of the two away."
            )
        blocks = Blocks(flavour=flavour, target=target)
        residual = Residual(blocks=blocks, kind=block, shortcut=shortcut, stride_on=stride_on)
        image = keras.Input((*input_size, 3), name="image")
        x = blocks.conv(image, 64, 7, stride=2, name="stem")
        x = residual.stages(_stem_pool(blocks, x), repeats, WIDTHS)
        return keras.Model(image, blocks.classifier(x, classes, head), name=name)

    return build


def _stem_pool(blocks: Blocks, x: keras.KerasTensor) -> keras.KerasTensor:
    if blocks.flavour.padding is Padding.SAME:
        return blocks.max_pool(x, 3, padding="same", name="stem_pool")
    # Zeros change no maximum of what a ReLU let through.
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    return blocks.max_pool(x, 3, name="stem_pool")


def _cifar(name: str) -> Callable[..., keras.Model]:
    repeats = (CIFAR_DEPTHS[name],) * len(CIFAR_WIDTHS)

    def build(
        input_size: tuple[int, int] = (32, 32),
        classes: int = 10,
        head: Head = Head.LOGITS,
        flavour: Flavour = TENSORFLOW,
        target: str | None = None,
        shortcut: str = ZERO_PADDING,
    ) -> keras.Model:
        """Builds a ResNet of section 4.2 with random weights: (N, H, W, 3) -> (N, classes).

        Args:
            input_size: Height and width, pixels; 4 or more, since the strides divide by 4.
            classes: Length of the output.
            head: What stands behind the last block.
            flavour: Conventions of the framework whose weights will be loaded.
            target: The delegate to please.
            shortcut: As of the networks of table 1; "zero_padding" (A) is the published one.
        """
        blocks = Blocks(flavour=flavour, target=target)
        image = keras.Input((*input_size, 3), name="image")
        x = blocks.conv(image, CIFAR_WIDTHS[0], 3, name="stem")
        x = Residual(blocks=blocks, kind=BASIC, shortcut=shortcut).stages(x, repeats, CIFAR_WIDTHS)
        return keras.Model(image, blocks.classifier(x, classes, head), name=name)

    return build


resnet18 = _imagenet("resnet18")
resnet34 = _imagenet("resnet34")
resnet50 = _imagenet("resnet50")
resnet101 = _imagenet("resnet101")
resnet152 = _imagenet("resnet152")
resnet20_cifar = _cifar("resnet20_cifar")
resnet32_cifar = _cifar("resnet32_cifar")
resnet44_cifar = _cifar("resnet44_cifar")
resnet56_cifar = _cifar("resnet56_cifar")
resnet110_cifar = _cifar("resnet110_cifar")
