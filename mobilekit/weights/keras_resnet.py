"""How keras.applications names the weights of ResNet."""

from __future__ import annotations

from functools import partial

from mobilekit.architectures.resnet import units
from mobilekit.weights import Variable
from mobilekit.weights.keras_applications import Pairs, dense, norm


def _names(name: str) -> dict[str, Variable]:
    return dict(_resnet(name))


def _resnet(name: str) -> Pairs:
    yield from _conv_bn("conv1", "stem")
    for stage, block, convolutions, projected in units(name):
        # Keras counts the stem as the paper does, and the shortcut's convolution is its 0th.
        theirs, ours = f"conv{stage + 1}_block{block}", f"stage_{stage}_block_{block}"
        if projected:
            yield from _conv_bn(f"{theirs}_0", f"{ours}_shortcut")
        for number in range(1, convolutions + 1):
            yield from _conv_bn(f"{theirs}_{number}", f"{ours}_conv_{number}")
    yield from dense("predictions")


def _conv_bn(theirs: str, ours: str) -> Pairs:
    yield from dense(f"{theirs}_conv", ours)  # a kernel and a bias
    yield from norm(f"{theirs}_bn", ours)


resnet50 = partial(_names, "resnet50")
resnet101 = partial(_names, "resnet101")
resnet152 = partial(_names, "resnet152")
