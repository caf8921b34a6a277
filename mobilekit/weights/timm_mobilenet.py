"""How timm names the weights of MobileNetV3 and V4, whatever their width."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mobilekit.architectures.mobilenet_v3 import VARIANTS as V3
from mobilekit.architectures.mobilenet_v4 import CONV, FUSED
from mobilekit.architectures.mobilenet_v4 import VARIANTS as V4
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

# Blocks of timm's stages, which it numbers one by one.
V3_STAGES = {
    "mobilenet_v3_large": (1, 2, 3, 4, 2, 3),
    "mobilenet_v3_small": (1, 2, 3, 2, 3),
}
# Parts of an inverted bottleneck of V4, where they are.
PARTS = {"dw_start": "start", "pw_exp": "expand", "dw_mid": "depthwise", "pw_proj": "project"}


def _v3(name: str, *, minimalistic: str = "no") -> dict[str, tuple[str, str]]:
    return dict(_v3_network(name, squeezes=minimalistic == "no"))


def _v3_network(name: str, *, squeezes: bool) -> Pairs:
    rows, _ = V3[name]
    places = [
        f"blocks.{stage}.{number}"
        for stage, blocks in enumerate(V3_STAGES[name])
        for number in range(blocks)
    ]
    yield from _conv_bn("conv_stem", "bn1", "stem")
    for index, (place, row) in enumerate(zip(places, rows, strict=True)):
        _, expansion, _, squeeze, _, _ = row
        parts = {"conv_pw": "expand", "conv_dw": "depthwise", "conv_pwl": "project"}
        if expansion == 1:
            parts = {"conv_dw": "depthwise", "conv_pw": "project"}
        yield from _counted(place, f"block_{index}", parts)
        if squeeze and squeezes:
            for part in ("reduce", "expand"):
                yield from _biased(f"{place}.se.conv_{part}", f"block_{index}_se_{part}")
    last = f"blocks.{len(V3_STAGES[name])}.0"
    yield from _conv_bn(f"{last}.conv", f"{last}.bn1", "last")
    yield from _biased("conv_head", "head")
    yield from _biased("classifier", "logits")


def _v4(name: str) -> dict[str, tuple[str, str]]:
    return dict(_v4_network(name))


def _v4_network(name: str) -> Pairs:
    stages, _ = V4[name]
    yield from _conv_bn("conv_stem", "bn1", "stem")
    index = 0
    for stage, rows in enumerate(stages):
        for number, (kind, start, middle, *_) in enumerate(rows):
            place, ours = f"blocks.{stage}.{number}", f"block_{index}"
            if kind == CONV:
                yield from _conv_bn(f"{place}.conv", f"{place}.bn1", ours)
            elif kind == FUSED:
                yield from _counted(place, ours, {"conv_exp": "expand", "conv_pwl": "project"})
            else:
                absent = {"dw_start": not start, "dw_mid": not middle}
                for theirs, part in PARTS.items():
                    if not absent.get(theirs):
                        layer = f"{place}.{theirs}"
                        yield from _conv_bn(f"{layer}.conv", f"{layer}.bn", f"{ours}_{part}")
            index += 1
    last = f"blocks.{len(stages)}.0"
    yield from _conv_bn(f"{last}.conv", f"{last}.bn1", "last")
    yield from _conv_bn("conv_head", "norm_head", "head")
    yield from _biased("classifier", "logits")


def _counted(theirs: str, ours: str, parts: Mapping[str, str]) -> Pairs:
    """Convolutions of a block whose batch norms are counted from 1."""
    for number, (conv, part) in enumerate(parts.items(), start=1):
        yield from _conv_bn(f"{theirs}.{conv}", f"{theirs}.bn{number}", f"{ours}_{part}")


def _conv_bn(conv: str, norm: str, layer: str) -> Pairs:
    yield f"{conv}.weight", (layer, "kernel")
    for theirs, ours in BATCH_NORM.items():
        yield f"{norm}.{theirs}", (f"{layer}_bn", ours)


def _biased(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.weight", (ours, "kernel")
    yield f"{theirs}.bias", (ours, "bias")


v3_large = partial(_v3, "mobilenet_v3_large")
v3_small = partial(_v3, "mobilenet_v3_small")
v3_large_minimalistic = partial(_v3, "mobilenet_v3_large", minimalistic="yes")
v3_small_minimalistic = partial(_v3, "mobilenet_v3_small", minimalistic="yes")
v4_conv_small = partial(_v4, "mobilenet_v4_conv_small")
v4_conv_medium = partial(_v4, "mobilenet_v4_conv_medium")
v4_conv_large = partial(_v4, "mobilenet_v4_conv_large")
