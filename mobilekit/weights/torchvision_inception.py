"""How torchvision names the weights of GoogLeNet and Inception V3."""

from __future__ import annotations

from mobilekit.architectures.googlenet import AUXILIARY, MODULES
from mobilekit.architectures.inception_v3 import convolutions
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

Names = dict[str, tuple[str, str]]

# A module's convolutions, in the order of their names here.
TABLE_1 = {
    "1x1": "branch1",
    "3x3_reduce": "branch2.0",
    "3x3": "branch2.1",
    "5x5_reduce": "branch3.0",
    "5x5": "branch3.1",
    "pool_proj": "branch4.1",
}
STEM = {"conv1": "conv_1", "conv2": "conv_2_reduce", "conv3": "conv_2"}

V3_STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")
V3_A = (
    *("1x1", "5x5_1", "5x5_2", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3", "_pool"),
)  # fmt: skip
V3_B = (
    *("1x1", "7x7_1", "7x7_2", "7x7_3"),
    *("7x7dbl_1", "7x7dbl_2", "7x7dbl_3", "7x7dbl_4", "7x7dbl_5", "_pool"),
)
V3_C = (
    *("1x1", "3x3_1", "3x3_2a", "3x3_2b"),
    *("3x3dbl_1", "3x3dbl_2", "3x3dbl_3a", "3x3dbl_3b", "_pool"),
)
V3_MODULES = {
    "5b": V3_A,
    "5c": V3_A,
    "5d": V3_A,
    "6a": ("3x3", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3"),
    "6b": V3_B,
    "6c": V3_B,
    "6d": V3_B,
    "6e": V3_B,
    "7a": ("3x3_1", "3x3_2", "7x7x3_1", "7x7x3_2", "7x7x3_3", "7x7x3_4"),
    "7b": V3_C,
    "7c": V3_C,
}


def googlenet() -> Names:
    """Names of torchvision.models.googlenet without its auxiliary classifiers."""
    return dict(_googlenet())


def googlenet_auxiliary() -> Names:
    """The same with them."""
    return dict([*_googlenet(), *_googlenet_heads()])


def inception_v3() -> Names:
    """Names of torchvision.models.inception_v3 without its auxiliary classifier."""
    return dict(_inception_v3())


def inception_v3_auxiliary() -> Names:
    """The same with it."""
    return dict([*_inception_v3(), *_inception_v3_head()])


def _googlenet() -> Pairs:
    for theirs, ours in STEM.items():
        yield from _conv_bn(theirs, ours)
    for module in MODULES:
        for part, branch in TABLE_1.items():
            yield from _conv_bn(f"inception{module}.{branch}", f"inception_{module}_{part}")
    yield from _dense("fc", "logits")


def _googlenet_heads() -> Pairs:
    for number, name in enumerate(AUXILIARY.values(), 1):
        yield from _conv_bn(f"aux{number}.conv", f"{name}_conv")
        yield from _dense(f"aux{number}.fc1", f"{name}_fc")
        yield from _dense(f"aux{number}.fc2", f"{name}_logits")


def _inception_v3() -> Pairs:
    theirs = [f"Conv2d_{name}" for name in V3_STEM]
    theirs += [f"Mixed_{m}.branch{part}" for m, parts in V3_MODULES.items() for part in parts]
    for conv, ours in zip(theirs, convolutions(), strict=True):
        yield from _conv_bn(conv, ours)
    yield from _dense("fc", "logits")


def _inception_v3_head() -> Pairs:
    yield from _conv_bn("AuxLogits.conv0", "auxiliary_conv_1")
    yield from _conv_bn("AuxLogits.conv1", "auxiliary_conv_2")
    yield from _dense("AuxLogits.fc", "auxiliary_logits")


def _conv_bn(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.conv.weight", (ours, "kernel")
    for variable, name in BATCH_NORM.items():
        yield f"{theirs}.bn.{variable}", (f"{ours}_bn", name)


def _dense(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.weight", (ours, "kernel")
    yield f"{theirs}.bias", (ours, "bias")
