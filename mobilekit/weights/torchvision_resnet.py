"""How torchvision names the weights of ResNet; timm's names of the same networks are equal."""

from __future__ import annotations

from functools import partial

from mobilekit.architectures.resnet import units
from mobilekit.weights.torchvision import Pairs, conv_bn


def _names(name: str) -> dict[str, tuple[str, str]]:
    return dict(_resnet(name))


def _resnet(name: str) -> Pairs:
    yield from conv_bn("conv1", "bn1", "stem")
    for stage, block, convolutions, projected in units(name):
        theirs, ours = f"layer{stage}.{block - 1}", f"stage_{stage}_block_{block}"
        for number in range(1, convolutions + 1):
            yield from conv_bn(
                f"{theirs}.conv{number}", f"{theirs}.bn{number}", f"{ours}_conv_{number}"
            )
        if projected:
            shortcut = f"{theirs}.downsample"
            yield from conv_bn(f"{shortcut}.0", f"{shortcut}.1", f"{ours}_shortcut")
    yield "fc.weight", ("logits", "kernel")
    yield "fc.bias", ("logits", "bias")


resnet18 = partial(_names, "resnet18")
resnet34 = partial(_names, "resnet34")
resnet50 = partial(_names, "resnet50")
resnet101 = partial(_names, "resnet101")
resnet152 = partial(_names, "resnet152")
