"""How torchvision names the weights of MobileNetV3, whatever its width."""

from __future__ import annotations

from functools import partial

from mobilekit.architectures.mobilenet_v3 import VARIANTS
from mobilekit.weights.torchvision import BATCH_NORM, Pairs


def _names(name: str) -> dict[str, tuple[str, str]]:
    return dict(_network(name))


def _network(name: str) -> Pairs:
    rows, _ = VARIANTS[name]
    yield from _conv_bn("features.0", "stem")
    for index, (_, expansion, _, squeeze, _, _) in enumerate(rows):
        # The stem is feature 0. A block counts its own parts, and has no expansion by 1.
        parts = ["expand"] if expansion > 1 else []
        parts += ["depthwise", *(["se"] if squeeze else []), "project"]
        for position, part in enumerate(parts):
            theirs, ours = f"features.{index + 1}.block.{position}", f"block_{index}_{part}"
            yield from _squeeze(theirs, ours) if part == "se" else _conv_bn(theirs, ours)
    yield from _conv_bn(f"features.{len(rows) + 1}", "last")
    yield from _biased("classifier.0", "head")
    yield from _biased("classifier.3", "logits")


def _squeeze(theirs: str, ours: str) -> Pairs:
    yield from _biased(f"{theirs}.fc1", f"{ours}_reduce")
    yield from _biased(f"{theirs}.fc2", f"{ours}_expand")


def _biased(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.weight", (ours, "kernel")
    yield f"{theirs}.bias", (ours, "bias")


def _conv_bn(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.0.weight", (ours, "kernel")
    for variable, own in BATCH_NORM.items():
        yield f"{theirs}.1.{variable}", (f"{ours}_bn", own)


large = partial(_names, "mobilenet_v3_large")
small = partial(_names, "mobilenet_v3_small")
