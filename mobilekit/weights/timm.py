"""How timm names the weights of the networks that are built here."""

from __future__ import annotations

from mobilekit.architectures.efficientnet_lite import STAGES
from mobilekit.weights.torchvision import BATCH_NORM, Pairs


def efficientnet_lite0() -> dict[str, tuple[str, str]]:
    """Names of timm's efficientnet_lite0 and tf_efficientnet_lite0."""
    return dict(_efficientnet_lite())


def _efficientnet_lite() -> Pairs:
    yield from _conv_bn("conv_stem", "bn1", "stem")
    block = 0
    for stage, (_, expansion, _, repeats, _) in enumerate(STAGES):
        for repeat in range(repeats):
            yield from _block(f"blocks.{stage}.{repeat}", f"block_{block}", expansion)
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


def _conv_bn(conv: str, norm: str, layer: str) -> Pairs:
    yield f"{conv}.weight", (layer, "kernel")
    for theirs, ours in BATCH_NORM.items():
        yield f"{norm}.{theirs}", (f"{layer}_bn", ours)
