"""How torchvision names the weights of AlexNet, VGG and SqueezeNet."""

from __future__ import annotations

from functools import partial

from mobilekit.architectures.alexnet import ONE_TOWER
from mobilekit.architectures.squeezenet import FIRES, POOLS
from mobilekit.architectures.vgg import convolutions
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

# Where the dense layers stand among activations and dropouts.
VGG_DENSE = {"classifier.0": "fc_1", "classifier.3": "fc_2", "classifier.6": "logits"}
ALEXNET_DENSE = {"classifier.1": "fc_1", "classifier.4": "fc_2", "classifier.6": "logits"}
FIRE = {"squeeze": "squeeze", "expand1x1": "expand_1x1", "expand3x3": "expand_3x3"}


def alexnet_torchvision() -> dict[str, tuple[str, str]]:
    """Names of torchvision.models.alexnet."""
    return dict(_alexnet())


def squeezenet_1_0() -> dict[str, tuple[str, str]]:
    """Names of torchvision.models.squeezenet1_0."""
    return dict(_squeezenet("squeezenet_1_0"))


def squeezenet_1_1() -> dict[str, tuple[str, str]]:
    """Names of torchvision.models.squeezenet1_1."""
    return dict(_squeezenet("squeezenet_1_1"))


def _alexnet() -> Pairs:
    position = 0
    for index, (*_, pooled) in enumerate(ONE_TOWER, 1):
        yield from _layer(f"features.{position}", f"conv_{index}")
        position += 3 if pooled else 2  # an activation stands between, and a pool
    for theirs, ours in ALEXNET_DENSE.items():
        yield from _layer(theirs, ours)


def _vgg(name: str, norm: str) -> Pairs:
    position = 0
    for block, number, _ in convolutions(name):
        position += 1 if number == 1 and block > 1 else 0  # the pool between two blocks
        layer = f"block_{block}_conv_{number}"
        yield from _layer(f"features.{position}", layer)
        if norm == "batch":
            for theirs, ours in BATCH_NORM.items():
                yield f"features.{position + 1}.{theirs}", (f"{layer}_bn", ours)
        position += 3 if norm == "batch" else 2  # the activation
    for theirs, ours in VGG_DENSE.items():
        yield from _layer(theirs, ours)


def _squeezenet(name: str) -> Pairs:
    yield from _layer("features.0", "conv_1")
    position = 3  # behind an activation and a pool
    for index in FIRES:
        for theirs, ours in FIRE.items():
            yield from _layer(f"features.{position}.{theirs}", f"fire_{index}_{ours}")
        position += 2 if index in POOLS[name] else 1
    yield from _layer("classifier.1", "conv_10")


def _layer(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.weight", (ours, "kernel")
    yield f"{theirs}.bias", (ours, "bias")


def _vgg_names(name: str, norm: str) -> dict[str, tuple[str, str]]:
    return dict(_vgg(name, norm))


vgg11 = partial(_vgg_names, "vgg11", "none")
vgg13 = partial(_vgg_names, "vgg13", "none")
vgg16 = partial(_vgg_names, "vgg16", "none")
vgg19 = partial(_vgg_names, "vgg19", "none")
vgg11_bn = partial(_vgg_names, "vgg11", "batch")
vgg13_bn = partial(_vgg_names, "vgg13", "batch")
vgg16_bn = partial(_vgg_names, "vgg16", "batch")
vgg19_bn = partial(_vgg_names, "vgg19", "batch")
