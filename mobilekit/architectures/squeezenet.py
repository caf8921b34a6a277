"""SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, arXiv:1602.07360."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks, Head
from mobilekit.architectures.flavour import TENSORFLOW, Flavour

# Table 1 of the paper, fire2 to fire9: filters of the squeeze, and of each of the two expands.
FIRES = {
    2: (16, 64),
    3: (16, 64),
    4: (32, 128),
    5: (32, 128),
    6: (48, 192),
    7: (48, 192),
    8: (64, 256),
    9: (64, 256),
}
# Filters and kernel of conv1, and behind which layers a pool stands; 1.1 is the authors' README.
STEM = {"squeezenet_1_0": (96, 7), "squeezenet_1_1": (64, 3)}
POOLS = {"squeezenet_1_0": (1, 4, 8), "squeezenet_1_1": (1, 3, 5)}


def _builder(name: str) -> Callable[..., keras.Model]:
    def build(
        input_size: tuple[int, int] = (224, 224),
        classes: int = 1000,
        head: Head = Head.LOGITS,
        flavour: Flavour = TENSORFLOW,
        target: str | None = None,
        bypass: str = "no",
    ) -> keras.Model:
        """Builds SqueezeNet with random weights: (N, H, W, 3) -> (N, classes).

        Args:
            input_size: Height and width, pixels; 21 or more (17 in version 1.1), so that every
                pool has a window.
            classes: Length of the output.
            head: What stands behind the last fire module.
            flavour: Conventions of the framework whose weights will be loaded.
            target: The delegate to please.
            bypass: "simple" adds the input of fire3, 5, 7 and 9 to their outputs; "complex" also
                that of the others, through a 1x1 convolution; "no" adds nothing.
        """
        blocks = Blocks(flavour=flavour, target=target)
        image = keras.Input((*input_size, 3), name="image")
        filters, kernel = STEM[name]
        x = blocks.conv(
            image, filters, kernel, name="conv_1", stride=2, padding="valid", norm=False
        )
        x = blocks.max_pool(x, 3, name="pool_1", padding="ceil")
        for index in FIRES:
            x = _fire(blocks, x, index, bypass)
            if index in POOLS[name]:
                x = blocks.max_pool(x, 3, name=f"pool_{index}", padding="ceil")
        return keras.Model(image, _classifier(blocks, x, classes, head), name=name)

    return build


squeezenet_1_0 = _builder("squeezenet_1_0")
squeezenet_1_1 = _builder("squeezenet_1_1")


def _fire(blocks: Blocks, x: keras.KerasTensor, index: int, bypass: str) -> keras.KerasTensor:
    """Squeeze to few channels, expand by 1x1 and 3x3 side by side: Figure 1 of the paper.

    Its Figure 2 has the bypasses; no activation follows them, as in the authors' network.
    """
    name = f"fire_{index}"
    squeezed, expanded = FIRES[index]
    y = blocks.conv(x, squeezed, 1, name=f"{name}_squeeze", norm=False)
    sides = [
        blocks.conv(y, expanded, kernel, name=f"{name}_expand_{kernel}x{kernel}", norm=False)
        for kernel in (1, 3)
    ]
    y = layers.Concatenate(name=f"{name}_concat")(sides)
    if bypass == "no" or (bypass == "simple" and index % 2 == 0):
        return y
    if index % 2 == 0:  # the channels differ
        x = blocks.conv(x, 2 * expanded, 1, name=f"{name}_bypass", activation=LINEAR, norm=False)
    return layers.Add(name=f"{name}_add")([x, y])


def _classifier(
    blocks: Blocks, x: keras.KerasTensor, classes: int, head: Head
) -> keras.KerasTensor:
    """A map for each class, averaged; the ReLU before the mean is published so."""
    if head is Head.NONE:
        return x
    x = layers.Dropout(0.5, name="dropout")(x)
    x = blocks.conv(x, classes, 1, name="conv_10", norm=False)
    x = layers.GlobalAveragePooling2D(name="logits")(x)
    return x if head is Head.LOGITS else layers.Softmax(name="probabilities")(x)
