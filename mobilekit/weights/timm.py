"""How timm names the weights of the networks that are built here."""

from __future__ import annotations

from collections.abc import Sequence

from mobilekit.architectures.efficientnet_lite import STAGES, repeats_of
from mobilekit.architectures.mnasnet import VARIANTS
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

# timm counts blocks by stage: for each, its factor of expansion and whether it squeezes.
Stages = Sequence[Sequence[tuple[int, bool]]]


def efficientnet_lite0() -> dict[str, tuple[str, str]]:
    """Names of tf_efficientnet_lite0 and efficientnet_lite0."""
    return dict(_network(_lite("efficientnet_lite0")))


def efficientnet_lite1() -> dict[str, tuple[str, str]]:
    """Names of tf_efficientnet_lite1."""
    return dict(_network(_lite("efficientnet_lite1")))


def efficientnet_lite2() -> dict[str, tuple[str, str]]:
    """Names of tf_efficientnet_lite2."""
    return dict(_network(_lite("efficientnet_lite2")))


def efficientnet_lite3() -> dict[str, tuple[str, str]]:
    """Names of tf_efficientnet_lite3."""
    return dict(_network(_lite("efficientnet_lite3")))


def efficientnet_lite4() -> dict[str, tuple[str, str]]:
    """Names of tf_efficientnet_lite4."""
    return dict(_network(_lite("efficientnet_lite4")))


def mnasnet_a1() -> dict[str, tuple[str, str]]:
    """Names of semnasnet, whatever its width."""
    return dict(_network(_mnasnet("mnasnet_a1")))


def mnasnet_b1() -> dict[str, tuple[str, str]]:
    """Names of mnasnet, whatever its width."""
    return dict(_network(_mnasnet("mnasnet_b1")))


def mnasnet_small() -> dict[str, tuple[str, str]]:
    """Names of mnasnet_small."""
    return dict(_network(_mnasnet("mnasnet_small")))


def _lite(name: str) -> Stages:
    repeats = repeats_of(name)
    return [[(row[1], False)] * n for row, n in zip(STAGES, repeats, strict=True)]


def _mnasnet(name: str) -> Stages:
    return [[(row[1], row[5] > 0)] * row[3] for row in VARIANTS[name].stages]


def _network(stages: Stages) -> Pairs:
    yield from _conv_bn("conv_stem", "bn1", "stem")
    block = 0
    for stage, blocks in enumerate(stages):
        for repeat, (expansion, squeezes) in enumerate(blocks):
            yield from _block(f"blocks.{stage}.{repeat}", f"block_{block}", expansion)
            if squeezes:
                yield from _squeeze_excite(f"blocks.{stage}.{repeat}.se", f"block_{block}_se")
            block += 1
    yield from _conv_bn("conv_head", "bn2", "last")
    yield "classifier.weight", ("logits", "kernel")
    yield "classifier.bias", ("logits", "bias")


def _block(theirs: str, ours: str, expansion: int) -> Pairs:
    """Batch norms are counted; timm calls the last convolution otherwise where none expands."""
    parts = [("conv_pw", "expand"), ("conv_dw", "depthwise"), ("conv_pwl", "project")]
    if expansion == 1:
        parts = [("conv_dw", "depthwise"), ("conv_pw", "project")]
    for number, (conv, part) in enumerate(parts, start=1):
        yield from _conv_bn(f"{theirs}.{conv}", f"{theirs}.bn{number}", f"{ours}_{part}")


def _squeeze_excite(theirs: str, ours: str) -> Pairs:
    for part in ("reduce", "expand"):
        yield f"{theirs}.conv_{part}.weight", (f"{ours}_{part}", "kernel")
        yield f"{theirs}.conv_{part}.bias", (f"{ours}_{part}", "bias")


def _conv_bn(conv: str, norm: str, layer: str) -> Pairs:
    yield f"{conv}.weight", (layer, "kernel")
    for theirs, ours in BATCH_NORM.items():
        yield f"{norm}.{theirs}", (f"{layer}_bn", ours)
