"""Published weights of ResNet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mobilekit.architectures.flavour import PYTORCH
from mobilekit.weights.source import TORCHVISION, WeightSource

# Architecture, file, top-1, and the shorter side before the crop; V2 was trained by a recipe of
# its own and resized less.
V1 = (
    ("resnet18", "resnet18-f37072fd.pth", 69.758, 256),
    ("resnet34", "resnet34-b627a593.pth", 73.314, 256),
    ("resnet50", "resnet50-0676ba61.pth", 76.13, 256),
    ("resnet101", "resnet101-63fe2227.pth", 77.374, 256),
    ("resnet152", "resnet152-394f9c45.pth", 78.312, 256),
)
V2 = (
    ("resnet50", "resnet50-11ad3fa6.pth", 80.858, 232),
    ("resnet101", "resnet101-cd907fc2.pth", 81.886, 232),
    ("resnet152", "resnet152-f82ba261.pth", 82.284, 232),
)
WITHOUT_BOTTLENECKS = ("resnet18", "resnet34")


def torchvision_resnets() -> Iterator[WeightSource]:
    """torchvision's, whose bottlenecks halve the map on the 3x3; timm names tensors alike."""
    for source, version, files in (("torchvision", "V1", V1), ("torchvision_v2", "V2", V2)):
        for architecture, file, top1, shorter in files:
            yield WeightSource(
                name=f"{source}/{architecture}",
                file=file,
                flavour=PYTORCH,
                names=f"mobilekit.weights.torchvision_resnet:{architecture}",
                preprocessing=replace(TORCHVISION, resize_shorter=shorter),
                top1=top1,
                source=f"torchvision's IMAGENET1K_{version} weights {file}, BSD-3-Clause",
                options={} if architecture in WITHOUT_BOTTLENECKS else {"stride_on": "3x3"},
            )
