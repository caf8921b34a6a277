"""The inverted residual block of MobileNetV2 and of those that came after it."""

from __future__ import annotations

import keras
from keras import layers

from mobilekit.architectures.blocks import LINEAR, Blocks, make_divisible
from mobilekit.architectures.squeeze_excite import squeeze_excite


def inverted_residual(
    blocks: Blocks,
    x: keras.KerasTensor,
    filters: int,
    *,
    name: str,
    expansion: float,
    kernel: int = 3,
    stride: int = 1,
    squeeze: int = 0,
    gate: str = "sigmoid",
    skip: bool = True,
) -> keras.KerasTensor:
    """Expand, filter by depth, project without activation; add the input where shapes allow.

    Source: arXiv:1801.04381, Table 1 and Figure 3; no expansion layer where the factor is 1 (slim).

    Args:
        blocks: The network's layers.
        x: (N, H, W, C).
        filters: Of the projection.
        name: Of the block; its layers are `<name>_expand`, `_depthwise`, `_project` and `_add`.
        expansion: Factor from C to the channels that are filtered by depth, in multiples of 8.
        kernel: Of that filter.
        stride: Of that filter.
        squeeze: Channels between squeeze and excitation, behind that filter; 0 for none.
        gate: Of squeeze and excitation.
        skip: Whether the input may be added at all.
    """
    channels = x.shape[-1]
    y = x
    if expansion > 1:
        y = blocks.conv(y, make_divisible(expansion * channels), 1, name=f"{name}_expand")
    y = blocks.depthwise(y, kernel, stride=stride, name=f"{name}_depthwise")
    if squeeze:
        y = squeeze_excite(blocks, y, squeeze, name=f"{name}_se", gate=gate)
    y = blocks.conv(y, filters, 1, name=f"{name}_project", activation=LINEAR)
    if skip and stride == 1 and channels == filters:
        return layers.Add(name=f"{name}_add")([x, y])
    return y
