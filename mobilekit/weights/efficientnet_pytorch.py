"""How efficientnet-pytorch names the weights of the networks that are built here."""

from __future__ import annotations

from collections.abc import Iterator

from mobilekit.architectures.efficientnet_lite import blocks_of
from mobilekit.weights.torchvision import BATCH_NORM, Pairs


def efficientnet_lite0() -> dict[str, tuple[str, str]]:
    """Names of EfficientNet-Lite0, whatever its width."""
    return dict(_efficientnet_lite("efficientnet_lite0"))


def efficientnet_lite1() -> dict[str, tuple[str, str]]:
    """Names of EfficientNet-Lite1, whatever its width."""
    return dict(_efficientnet_lite("efficientnet_lite1"))


def efficientnet_lite2() -> dict[str, tuple[str, str]]:
    """Names of EfficientNet-Lite2, whatever its width."""
    return dict(_efficientnet_lite("efficientnet_lite2"))


def _efficientnet_lite(name: str) -> Pairs:
    yield from _conv_bn("_conv_stem", "_bn0", "stem")
    for block, (_, expansion, _, _) in enumerate(blocks_of(name)):
        theirs, ours = f"_blocks.{block}", f"block_{block}"
        if expansion > 1:
            yield from _conv_bn(f"{theirs}._expand_conv", f"{theirs}._bn0", f"{ours}_expand")
        yield from _conv_bn(f"{theirs}._depthwise_conv", f"{theirs}._bn1", f"{ours}_depthwise")
        yield from _conv_bn(f"{theirs}._project_conv", f"{theirs}._bn2", f"{ours}_project")
    yield from _conv_bn("_conv_head", "_bn1", "last")
    yield "_fc.weight", ("logits", "kernel")
    yield "_fc.bias", ("logits", "bias")


def _conv_bn(conv: str, norm: str, layer: str) -> Iterator[tuple[str, tuple[str, str]]]:
    yield f"{conv}.weight", (layer, "kernel")
    for theirs, ours in BATCH_NORM.items():
        yield f"{norm}.{theirs}", (f"{layer}_bn", ours)
