"""Factorized Convolutional Neural Networks, arXiv:1608.04337."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks, Head
from mobilekit.architectures.deconvolution import depthwise_deconvolution
from mobilekit.architectures.flavour import TENSORFLOW, Flavour
from mobilekit.architectures.topology import Torus
from mobilekit.core.errors import UsageError

# Channels of the four stages and layers in each: those of the plain ResNet-18; see the row.
WIDTHS = (64, 128, 256, 512)
LAYERS = 4
KERNEL = 3
BOTTLENECK = 2  # by how much the spatial bottleneck shrinks the map

DENSE = "dense"
AXES = {"2d": 2, "3d": 3}
CELLS, WINDOW = 4, 2  # of every axis


def factorized(
    input_size: tuple[int, int] = (224, 224),
    classes: int = 1000,
    head: Head = Head.LOGITS,
    flavour: Flavour = TENSORFLOW,
    target: str | None = None,
    convolution: str = "single",
    topology: str = DENSE,
) -> keras.Model:
    """Builds a network of factorized layers with random weights: (N, H, W, 3) -> (N, classes).

    Args:
        input_size: Height and width, pixels; 32 or more, since stem and pools divide by 32.
        classes: Length of the output.
        head: What stands behind the last layer.
        flavour: Conventions of the framework whose weights will be loaded.
        target: The delegate to please.
        convolution: "single" filters every channel once before it projects; "bottleneck" projects
            a smaller map between a convolution and a deconvolution of every channel; "full" is
            the convolution that both replace.
        topology: Which channels a projection connects: "dense" all of them, "2d" and "3d" those
            near to each other on a torus.

    Raises:
        UsageError: If a topology is asked of a full convolution, which has no projection.
    """
    if convolution == "full" and topology != DENSE:
        raise UsageError(
            f"topology={topology} thins out projections, and convolution=full has none; leave one"
            " of the two away."
        )
    blocks = Blocks(flavour=flavour, target=target)
    factory = Layers(blocks=blocks, convolution=convolution, topology=topology)
    image = keras.Input((*input_size, 3), name="image")
    x = blocks.conv(image, 64, 7, stride=2, name="stem")
    x = blocks.max_pool(x, 3, padding="same", name="stem_pool")
    for stage, width in enumerate(WIDTHS, 1):
        if stage > 1:
            x = blocks.max_pool(x, 2, name=f"stage_{stage}_pool")
        for layer in range(1, LAYERS + 1):
            x = factory.layer(x, width, f"stage_{stage}_layer_{layer}")
    return keras.Model(image, blocks.classifier(x, classes, head), name="factorized")


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The layers of one network: (N, H, W, C) -> (N, H, W, filters).

    Attributes:
        blocks: What they are made of.
        convolution: As of `factorized`.
        topology: As of `factorized`.
    """

    blocks: Blocks
    convolution: str
    topology: str

    def layer(self, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        """One layer with its activation."""
        if self.convolution == "full":
            return self.blocks.conv(x, filters, KERNEL, name=name)
        if self.convolution == "bottleneck":
            return self._small(x, filters, name)
        return self.blocks.activate(self._single(x, filters, name), name)

    def _single(self, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        """One filter a channel beside the channel itself, then the projection."""
        y = self.blocks.depthwise(x, KERNEL, activation=LINEAR, name=f"{name}_spatial")
        x = layers.Add(name=f"{name}_add")([x, y])
        return self._project(x, filters, f"{name}_project")

    def _small(self, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        """Convolution, projection and deconvolution, with its activation; no windows overlap."""
        height, width = x.shape[1:3]
        x = layers.DepthwiseConv2D(
            BOTTLENECK,
            BOTTLENECK,
            padding="same",
            use_bias=False,
            depthwise_initializer=keras.initializers.RandomNormal(stddev=1 / BOTTLENECK),
            name=f"{name}_spatial",
        )(x)
        x = self.blocks.norm(x, f"{name}_spatial")
        x = self._project(x, filters, f"{name}_project")
        x = depthwise_deconvolution(self.blocks, x, BOTTLENECK, f"{name}_widen")
        below, right = x.shape[1] - height, x.shape[2] - width
        if not below and not right:
            return x
        return layers.Cropping2D(((0, below), (0, right)), name=f"{name}_crop")(x)

    def _project(self, x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
        """The 1x1 convolution over channels, as dense as the topology says."""
        if self.topology == DENSE:
            return self.blocks.conv(x, filters, 1, activation=LINEAR, name=name)
        torus = Torus(axes=AXES[self.topology], cells=CELLS, window=WINDOW)
        return torus.project(self.blocks, x, filters, name)
