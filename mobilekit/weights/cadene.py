"""How Cadene's pretrained-models.pytorch names the weights of BN-Inception."""

from __future__ import annotations

from collections.abc import Iterator

from mobilekit.architectures.bn_inception import PAPER
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

# Filters of Figure 5's row, and the convolutions that have them.
PARTS = (
    ("1x1",),
    ("3x3_reduce",),
    ("3x3",),
    ("double_3x3_reduce",),
    ("double_3x3_1", "double_3x3_2"),
    ("pool_proj",),
)
STEM = {"conv1_7x7_s2": "conv_1", "conv2_3x3_reduce": "conv_2_reduce", "conv2_3x3": "conv_2"}


def bn_inception() -> dict[str, tuple[str, str]]:
    """Names of bninception, which are those of Caffe's port."""
    return dict(_bn_inception())


def _bn_inception() -> Pairs:
    layers = STEM | {name: name for name in _convolutions()}
    for theirs, ours in layers.items():
        yield f"{theirs}.weight", (ours, "kernel")
        yield f"{theirs}.bias", (ours, "bias")
        for variable, name in BATCH_NORM.items():
            yield f"{theirs}_bn.{variable}", (f"{ours}_bn", name)
    yield "last_linear.weight", ("logits", "kernel")
    yield "last_linear.bias", ("logits", "bias")


def _convolutions() -> Iterator[str]:
    for module, row in PAPER.items():
        for filters, parts in zip(row, PARTS, strict=True):
            if filters:
                yield from (f"inception_{module}_{part}" for part in parts)
