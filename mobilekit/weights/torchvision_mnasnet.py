"""How torchvision names the weights of MnasNet-B1, which it calls MNASNet."""

from __future__ import annotations

from mobilekit.architectures.mnasnet import VARIANTS
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

# A sequence of convolutions, each with a batch norm behind it and an activation after most.
STEM, DEPTHWISE, PROJECT, STACKS, LAST = 0, 3, 6, 8, 14


def mnasnet_b1() -> dict[str, tuple[str, str]]:
    """Names of torchvision.models.mnasnet, whatever its width."""
    return dict(_mnasnet_b1())


def _mnasnet_b1() -> Pairs:
    yield from _conv_bn("layers", STEM, "stem")
    yield from _conv_bn("layers", DEPTHWISE, "block_0_depthwise")
    yield from _conv_bn("layers", PROJECT, "block_0_project")
    block = 1
    for stack, (_, _, _, repeats, _, _) in enumerate(VARIANTS["mnasnet_b1"].stages[1:], STACKS):
        for repeat in range(repeats):
            for place, part in ((0, "expand"), (3, "depthwise"), (6, "project")):
                prefix = f"layers.{stack}.{repeat}.layers"
                yield from _conv_bn(prefix, place, f"block_{block}_{part}")
            block += 1
    yield from _conv_bn("layers", LAST, "last")
    yield "classifier.1.weight", ("logits", "kernel")
    yield "classifier.1.bias", ("logits", "bias")


def _conv_bn(prefix: str, place: int, layer: str) -> Pairs:
    yield f"{prefix}.{place}.weight", (layer, "kernel")
    for theirs, ours in BATCH_NORM.items():
        yield f"{prefix}.{place + 1}.{theirs}", (f"{layer}_bn", ours)
