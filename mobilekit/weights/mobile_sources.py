"""Published weights of MobileNetV3 and V4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mobilekit.architectures.flavour import PYTORCH, TENSORFLOW, Flavour, Padding
from mobilekit.weights.source import TIMM, TORCHVISION, WeightSource, Width

NAMES = "mobilekit.weights.timm_mobilenet:"
# torchvision pads as PyTorch does, and has batch norm's epsilon from TensorFlow.
TORCHVISION_V3 = Flavour(padding=Padding.SYMMETRIC, epsilon=1e-3)
# Google's checkpoints as timm measures them: pixels of -1..1.
GOOGLE = replace(TORCHVISION, mean=(127.5,) * 3, std=(127.5,) * 3)


def torchvision() -> Iterator[WeightSource]:
    """Both sizes; the large one has weights of a second recipe, with a crop of its own."""
    for source, version, size, digest, shorter, top1 in (
        ("torchvision", "V1", "large", "8738ca79", 256, 74.042),
        ("torchvision_v2", "V2", "large", "5c1a4163", 232, 75.274),
        ("torchvision", "V1", "small", "047dcff4", 256, 67.668),
    ):
        yield WeightSource(
            name=f"{source}/mobilenet_v3_{size}",
            file=f"mobilenet_v3_{size}-{digest}.pth",
            flavour=TORCHVISION_V3,
            names=f"mobilekit.weights.torchvision_mobilenet_v3:{size}",
            preprocessing=replace(TORCHVISION, resize_shorter=shorter),
            top1=top1,
            source=f"torchvision MobileNet_V3_{size.title()}_Weights.IMAGENET1K_{version},"
            " BSD-3-Clause",
        )


def google_v3() -> Iterator[WeightSource]:
    """Google's checkpoints as timm carries them."""
    for size, digest, top1, digest_75, top1_75 in (
        ("large", "427764d5", 75.51, "150ee8b0", 73.442),
        ("small", "37f49e2b", 67.922, "da427f52", 65.706),
    ):
        narrow = f"tf_mobilenetv3_{size}_075-{digest_75}.pth"
        yield WeightSource(
            name=f"timm/mobilenet_v3_{size}",
            file=f"tf_mobilenetv3_{size}_100-{digest}.pth",
            flavour=TENSORFLOW,
            names=f"{NAMES}v3_{size}",
            preprocessing=GOOGLE,
            top1=top1,
            source=f"timm tf_mobilenetv3_{size}_100.in1k, Apache-2.0: Google's checkpoint",
            others={0.75: Width(file=narrow, preprocessing=GOOGLE, top1=top1_75)},
        )
    for size, digest, top1 in (("large", "8596ae28", 72.27), ("small", "922a7843", 62.892)):
        yield WeightSource(
            name=f"timm_minimalistic/mobilenet_v3_{size}",
            file=f"tf_mobilenetv3_{size}_minimal_100-{digest}.pth",
            flavour=TENSORFLOW,
            names=f"{NAMES}v3_{size}_minimalistic",
            preprocessing=GOOGLE,
            top1=top1,
            source=f"timm tf_mobilenetv3_{size}_minimal_100.in1k, Apache-2.0: Google's checkpoint",
            options={"minimalistic": "yes"},
        )


def timm_v3() -> Iterator[WeightSource]:
    """What timm trained itself, with PyTorch's padding and epsilon."""
    yield WeightSource(
        name="timm_ra/mobilenet_v3_large",
        file="mobilenetv3_large_100_ra-f55367f5.pth",
        flavour=PYTORCH,
        names=f"{NAMES}v3_large",
        preprocessing=TIMM,
        top1=75.784,
        source="timm mobilenetv3_large_100.ra_in1k, Apache-2.0",
    )
    narrower = {
        0.75: Width(
            file="mobilenetv3_small_075_lambc-384766db.pth", preprocessing=TIMM, top1=65.284
        ),
        0.5: Width(
            file="mobilenetv3_small_050_lambc-4b7bbe87.pth", preprocessing=TIMM, top1=57.918
        ),
    }
    yield WeightSource(
        name="timm_lamb/mobilenet_v3_small",
        file="mobilenetv3_small_100_lamb-266a294c.pth",
        flavour=PYTORCH,
        names=f"{NAMES}v3_small",
        preprocessing=TIMM,
        top1=67.636,
        source="timm mobilenetv3_small_100.lamb_in1k, Apache-2.0",
        others=narrower,
    )


def timm_v4() -> Iterator[WeightSource]:
    """V4 as timm trained it; a crop of 0.875 for the small one, of 0.95 for the others."""
    for size, recipe, pixels, shorter, top1 in (
        ("small", "e2400_r224", 224, 256, 73.756),
        ("medium", "e500_r256", 256, 269, 79.916),
        ("large", "e600_r384", 384, 404, 82.974),
    ):
        model = f"mobilenetv4_conv_{size}.{recipe}_in1k"
        yield WeightSource(
            name=f"timm/mobilenet_v4_conv_{size}",
            # Each is published as model.safetensors in a place of its own.
            file=f"{model}.safetensors",
            flavour=PYTORCH,
            names=f"{NAMES}v4_conv_{size}",
            preprocessing=replace(TIMM, input_size=(pixels, pixels), resize_shorter=shorter),
            top1=top1,
            source=f"timm {model}, Apache-2.0: its model.safetensors",
        )
